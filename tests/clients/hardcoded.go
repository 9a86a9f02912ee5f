// A client of Pikzels by Go's default client: success, refusal, ordered error, picture.
// It knows nothing of a mock; the hosts of production stand in it.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

const (
	score = "https://api.pikzels.com/v2/thumbnail/score"
	text  = "https://api.pikzels.com/v2/thumbnail/text"
	right = `{"image_url": "https://example.com/a.png"}`
	wrong = `{"image_ur": "https://example.com/a.png"}`
)

func ask(method, url, body, prefer string) (int, []byte) {
	request, _ := http.NewRequest(method, url, strings.NewReader(body))
	request.Header.Set("X-Api-Key", "pkz_test")
	request.Header.Set("Content-Type", "application/json")
	if prefer != "" {
		request.Header.Set("Prefer", prefer)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	content, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, content
}

func main() {
	first, _ := ask("POST", score, right, "")
	second, _ := ask("POST", score, wrong, "")
	third, _ := ask("POST", score, right, "code=402")
	_, made := ask("POST", text, `{"prompt": "Islands", "model": "pkz_4", "format": "1:1"}`, "")
	var answer struct{ Output string }
	json.Unmarshal(made, &answer)
	_, picture := ask("GET", answer.Output, "", "")
	kind := "no picture"
	if strings.HasPrefix(string(picture), "\x89PNG") {
		kind = "picture"
	}
	fmt.Println("go", first, second, third, kind)
}
