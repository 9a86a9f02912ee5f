<?php
// What PHP runs before a program of `mockserver run`: its streams (file_get_contents, fopen) know no HTTPS_PROXY.
// curl does, and needs nothing of this. A stream with a context of its own takes its proxy from there alone.
(static function (): void {
    $proxy = getenv('HTTPS_PROXY');
    if (getenv('MOCKSERVER_RUN') !== false && $proxy !== false) {
        stream_context_set_default(['http' => ['proxy' => preg_replace('~^http://~', 'tcp://', $proxy)]]);
    }
})();
