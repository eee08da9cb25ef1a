<?php
// Sends a message with PHPMailer:
// send.php HOST PORT SENDER MESSAGE CA USER PASSWORD RECIPIENT... (CA and USER are "-" where they are not to be used)
declare(strict_types=1);

use PHPMailer\PHPMailer\Exception;
use PHPMailer\PHPMailer\PHPMailer;

require 'libphp-phpmailer/autoload.php';

[, $host, $port, $sender, $file, $ca, $user, $password] = $argv;
$accepted = 0;
$mail = new PHPMailer(true);
try {
    $mail->isSMTP();
    $mail->Host = $host;
    $mail->Port = (int) $port;
    $mail->Timeout = 8;
    $mail->getSMTPInstance()->Timelimit = 8;
    if ($ca !== '-') {
        $mail->SMTPSecure = PHPMailer::ENCRYPTION_STARTTLS;
        $mail->SMTPOptions = ['ssl' => ['cafile' => $ca]];
    }
    if ($user !== '-') {
        $mail->SMTPAuth = true;
        $mail->Username = $user;
        $mail->Password = $password;
    }
    $mail->setFrom($sender);
    foreach (array_slice($argv, 8) as $recipient) {
        $mail->addAddress($recipient);
    }
    // PHPMailer writes the header itself.
    [, $body] = preg_split('/\r?\n\r?\n/', file_get_contents($file), 2);
    $mail->CharSet = PHPMailer::CHARSET_UTF8;
    $mail->Encoding = PHPMailer::ENCODING_8BIT;
    $mail->Subject = 'Test';
    $mail->Body = $body;
    $mail->action_function = function (bool $sent) use (&$accepted): void {
        $accepted += (int) $sent;
    };
    $mail->send();
} catch (Exception $error) {
    fwrite(STDERR, $error->getMessage() . "\n");
    // Recipients have failed, and the message was sent to the others.
    if ($error->getCode() === PHPMailer::STOP_CONTINUE && $accepted > 0) {
        exit(70);
    }
    $code = (int) $mail->getSMTPInstance()->getError()['smtp_code'];
    exit([4 => 75, 5 => 69][intdiv($code, 100)] ?? 1);
}
