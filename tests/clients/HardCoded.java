// A client of Pikzels by Java's own: success, refusal, ordered error, picture.
// It knows nothing of a mock; the hosts of production stand in it.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.regex.Pattern;

public class HardCoded {
    static final String API = "https://api.pikzels.com/v2/thumbnail/";
    static final String RIGHT = "{\"image_url\": \"https://example.com/a.png\"}";
    static final String WRONG = "{\"image_ur\": \"https://example.com/a.png\"}";
    static final HttpClient CLIENT = HttpClient.newHttpClient();

    static HttpResponse<byte[]> ask(String url, String body, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url));
        if (body != null) {
            request.header("X-Api-Key", "pkz_test").header("Content-Type", "application/json");
            request.POST(HttpRequest.BodyPublishers.ofString(body));
        }
        if (headers.length > 0) request.headers(headers);
        return CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    }

    public static void main(String[] arguments) throws Exception {
        int first = ask(API + "score", RIGHT).statusCode();
        int second = ask(API + "score", WRONG).statusCode();
        int third = ask(API + "score", RIGHT, "Prefer", "code=402").statusCode();
        String prompt = "{\"prompt\": \"Islands\", \"model\": \"pkz_4\", \"format\": \"1:1\"}";
        var found = Pattern.compile("\"output\":\"([^\"]+)\"").matcher(new String(ask(API + "text", prompt).body()));
        found.find();
        byte[] picture = ask(found.group(1), null).body();
        String kind = picture[1] == 'P' && picture[2] == 'N' && picture[3] == 'G' ? "picture" : "no picture";
        System.out.println("java " + first + " " + second + " " + third + " " + kind);
    }
}
