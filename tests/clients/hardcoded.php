<?php
// A client of Pikzels, written with the means that it is told: success, refusal, ordered error, picture.
// It knows nothing of a mock; the hosts of production stand in it.
const API = 'https://api.pikzels.com';
const SCORE = API . '/v2/thumbnail/score';
const TEXT = API . '/v2/thumbnail/text';
const KEY = ['X-Api-Key: pkz_test', 'Content-Type: application/json'];
const RIGHT = ['image_url' => 'https://example.com/a.png'];
const WRONG = ['image_ur' => 'https://example.com/a.png'];

function ask(string $url, array $headers = [], ?array $body = null): array
{
    $handle = curl_init($url);
    curl_setopt_array($handle, [CURLOPT_RETURNTRANSFER => true, CURLOPT_HTTPHEADER => $headers, CURLOPT_TIMEOUT => 20]);
    if ($body !== null) {
        curl_setopt($handle, CURLOPT_POSTFIELDS, json_encode($body));
    }
    $answer = curl_exec($handle);
    if ($answer === false) {
        fwrite(STDERR, curl_error($handle) . "\n");
        exit(1);
    }
    return [curl_getinfo($handle, CURLINFO_RESPONSE_CODE), $answer];
}

$statuses = [
    ask(SCORE, KEY, RIGHT)[0],
    ask(SCORE, KEY, WRONG)[0],
    ask(SCORE, [...KEY, 'Prefer: code=402'], RIGHT)[0],
];
$link = json_decode(ask(TEXT, KEY, ['prompt' => 'Islands', 'model' => 'pkz_4', 'format' => '1:1'])[1], true)['output'];
foreach (['curl' => ask($link)[1], 'streams' => file_get_contents($link)] as $name => $picture) {
    echo $name, ' ', implode(' ', $statuses), ' ', substr($picture, 1, 3) === 'PNG' ? 'picture' : 'no picture', "\n";
}
