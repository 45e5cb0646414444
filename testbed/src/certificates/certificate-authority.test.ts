import { X509Certificate, createPrivateKey } from "node:crypto";
import { expect, test } from "vitest";
import { CertificateAuthority } from "./certificate-authority.ts";

const authority = new CertificateAuthority("authority");
const root = new X509Certificate(authority.certificate);
const day = 24 * 3_600_000;

test("an authority may issue certificates and vouches for itself", () => {
  expect(root.ca).toBe(true);
  expect(root.subject).toBe("CN=authority");
  expect(root.verify(root.publicKey)).toBe(true);
});

test("an issued certificate is vouched for by its authority and by no other, and belongs to its key", () => {
  const { certificate, key } = authority.issue({ hosts: ["db.example"] });
  const issued = new X509Certificate(certificate);
  expect(issued.ca).toBe(false);
  expect(issued.checkIssued(root)).toBe(true);
  expect(issued.verify(root.publicKey)).toBe(true);
  expect(issued.verify(new X509Certificate(new CertificateAuthority("authority").certificate).publicKey)).toBe(false);
  expect(issued.checkPrivateKey(createPrivateKey(key))).toBe(true);
});

test("an issued certificate is good for its hosts alone", () => {
  const issued = new X509Certificate(authority.issue({ hosts: ["db.example", "127.0.0.1"] }).certificate);
  expect(issued.subjectAltName).toBe("DNS:db.example, IP Address:127.0.0.1");
  expect(issued.checkHost("db.example")).toBe("db.example");
  expect(issued.checkHost("other.example")).toBe(undefined);
  expect(issued.checkIP("127.0.0.1")).toBe("127.0.0.1");
});

test.each([
  ["a day", undefined, day],
  ["less than none, when it has expired", -day, -day],
  ["a century, with a year of four digits", 36_525 * day, 36_525 * day],
])("is valid for %s", (_, validForMs, expected) => {
  const request = { hosts: ["db.example"], ...(validForMs === undefined ? {} : { validForMs }) };
  const issued = new X509Certificate(authority.issue(request).certificate);
  const endsInMs = Date.parse(issued.validTo) - Date.now();
  expect(Math.abs(endsInMs - expected)).toBeLessThan(60_000);
  expect(Date.parse(issued.validFrom)).toBeLessThan(Math.min(Date.now(), Date.parse(issued.validTo)));
});
