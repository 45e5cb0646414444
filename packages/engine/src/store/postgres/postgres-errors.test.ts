import { expect, test } from "vitest";
import { asStoreError } from "./postgres-errors.ts";

const openSsl = (reason: string): string =>
  `write EPROTO 80CC:error:0A00042E:SSL routines:ssl3_read_bytes:${reason}:../deps/openssl/ssl/rec_layer_s3.c:1601:\n`;

test.each([
  ["SELF_SIGNED_CERT_IN_CHAIN", "self-signed certificate in certificate chain", /`sslrootcert=FILE`/],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate", /`sslrootcert=FILE`/],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "unable to get local issuer certificate", /`sslrootcert=FILE`/],
  ["CERT_NOT_YET_VALID", "certificate is not yet valid", /clocks/],
  ["CERT_REVOKED", "certificate revoked", /Check the certificate/],
  ["INVALID_CA", "invalid CA certificate", /Check the certificate/],
  ["EPROTO", openSsl("wrong version number"), /: wrong version number\. .+TLS 1\.2/],
  ["ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", openSsl("ssl/tls alert handshake failure"), /failure\. .+TLS 1\.2/],
])("%s is nothing that waiting cures", (code, message, expected) => {
  const error = asStoreError(Object.assign(new Error(message), { code }), "postgres://db/x");
  expect(error).toMatchObject({ code: "store_cannot_open" });
  expect(error.message).toMatch(expected);
  expect(error.message).not.toMatch(/tried again|\n|deps/);
});

test.each([
  ["EPROTO", openSsl("decryption failed or bad record mac")],
  ["ECONNRESET", "Client network socket disconnected before secure TLS connection was established"],
])("%s of a connection that broke is tried again", (code, message) => {
  const error = asStoreError(Object.assign(new Error(message), { code }), "postgres://db/x");
  expect(error).toMatchObject({ code: "store_unavailable" });
  expect(error.message).toMatch(/It is tried again\.$/);
});
