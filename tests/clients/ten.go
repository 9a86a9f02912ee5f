// Ten calls by Go's default client.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func main() {
	for call := 0; call < 10; call++ {
		request, _ := http.NewRequest("POST", os.Args[1], strings.NewReader(os.Args[2]))
		request.Header.Set("X-Api-Key", "pkz_test")
		request.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			panic(err)
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		fmt.Println(answer.StatusCode)
	}
}
