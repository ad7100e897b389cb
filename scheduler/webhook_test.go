package scheduler

import (
	"strings"
	"testing"
	"time"
)

// The figures are those of the Standard Webhooks libraries' own tests.
func TestSignaturesAreThoseOfStandardWebhooks(t *testing.T) {
	all, err := parseWebhooks("https://example.com/notices whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := all[0].sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

const (
	secretA = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	secretB = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
)

func TestWebhooksAreReadWithTheirSecrets(t *testing.T) {
	all, err := parseWebhooks("  https://a.example/x?y=z " + secretA + "\n" + secretB + " http://b.example:8080/ " + secretB)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[0].address != "https://a.example/x?y=z" || len(all[0].secrets) != 2 || all[0].host() != "a.example" ||
		all[1].address != "http://b.example:8080/" || len(all[1].secrets) != 1 || all[1].host() != "b.example:8080" {
		t.Errorf("got %+v", all)
	}
	if got := strings.Fields(all[0].sign("id", time.Unix(1, 0), nil)); len(got) != 2 || got[1] != all[1].sign("id", time.Unix(1, 0), nil) {
		t.Errorf("two secrets: got the signatures %q, want one of each", got)
	}
	if all, err := parseWebhooks(" \n"); err != nil || len(all) != 0 {
		t.Errorf("nothing: got %v, %v", all, err)
	}
}

func TestWebhooksThatAreRefusedShowNoSecret(t *testing.T) {
	for text, want := range map[string]string{
		secretA:                                            "it begins with a secret",
		"https://a.example/x":                              "a.example has no secret",
		"https://a.example/x whsec_QUJD":                   "a secret of a.example: want whsec_ and base64 of at least 16 bytes",
		"https://a.example/x whsec_!!":                     "a secret of a.example",
		"a.example/x " + secretA:                           "want addresses like https://",
		"https:///x " + secretA:                            "want addresses like https://",
		"https://a.example/x " + "s3cret":                  "want addresses like https://",
		"https://a/ " + secretA + " https://a/ " + secretA: "an address at a stands twice",
	} {
		_, err := parseWebhooks(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
			continue
		}
		for _, secret := range []string{"MfKQ9r", "QUJD", "s3cret", "/x"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%v: it shows %s", err, secret)
			}
		}
	}
}
