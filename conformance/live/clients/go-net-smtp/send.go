// Sends a message with Go's net/smtp:
// send HOST PORT SENDER MESSAGE CA USER PASSWORD RECIPIENT... (CA and USER are "-" where they are not to be used)
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/smtp"
	"net/textproto"
	"os"
)

func main() {
	host, port, sender, file, ca := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	user, password, recipients := os.Args[6], os.Args[7], os.Args[8:]
	message, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	var auth smtp.Auth
	if user != "-" {
		// PlainAuth refuses to send a password in clear.
		auth = smtp.CRAMMD5Auth(user, password)
	}
	if ca == "-" {
		err = smtp.SendMail(host+":"+port, auth, sender, recipients, message)
	} else {
		err = sendWithTLS(host, port, ca, auth, sender, recipients, message)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(status(err))
	}
}

// SendMail does the same, but takes neither a certificate nor a demand for TLS.
func sendWithTLS(host, port, ca string, auth smtp.Auth, sender string, recipients []string, message []byte) error {
	certificate, err := os.ReadFile(ca)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	client, err := smtp.Dial(host + ":" + port)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.StartTLS(&tls.Config{ServerName: host, RootCAs: roots}); err != nil {
		return err
	}
	if auth != nil {
		if err := client.Auth(auth); err != nil {
			return err
		}
	}
	if err := client.Mail(sender); err != nil {
		return err
	}
	for _, recipient := range recipients {
		if err := client.Rcpt(recipient); err != nil {
			return err
		}
	}
	writer, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := writer.Write(message); err != nil {
		return err
	}
	if err := writer.Close(); err != nil {
		return err
	}
	_ = client.Quit()
	return nil
}

func status(err error) int {
	var reply *textproto.Error
	if errors.As(err, &reply) {
		switch reply.Code / 100 {
		case 4:
			return 75
		case 5:
			return 69
		}
	}
	return 1
}
