import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { isIPv4 } from "node:net";
import { bits, boolean, explicit, implicit, integer, objectId, octets, sequence, set, text, time } from "./der.ts";

/** What a server needs to offer TLS, both as PEM. */
export interface ServerCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateRequest {
  /** Host names and IPv4 addresses that the certificate is good for. */
  readonly hosts: readonly string[];
  /** How long it is valid, from an hour ago on; a negative duration makes one that has expired. Default: a day. */
  readonly validForMs?: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const ECDSA_WITH_SHA256 = sequence(objectId("1.2.840.10045.4.3.2"));
const COMMON_NAME = objectId("2.5.4.3");
const ALTERNATIVE_NAMES = objectId("2.5.29.17");
const BASIC_CONSTRAINTS = objectId("2.5.29.19");

interface Contents {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly extension: Uint8Array;
  readonly validForMs: number;
}

/**
 * An authority of a test's own, whose certificates only those trust who are told to.
 *
 * It writes the certificates by hand: Node makes keys and signs but has nothing for certificates, `openssl` is not on every
 * machine, and files in the repository would expire one day and look like keys that matter. So no key outlives its test.
 */
export class CertificateAuthority {
  /** What a client has to trust, as PEM. */
  readonly certificate: string;
  readonly #name: string;
  readonly #key: KeyObject;

  constructor(name: string) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#name = name;
    this.#key = privateKey;
    const extension = sequence(BASIC_CONSTRAINTS, boolean(true), octets(sequence(boolean(true))));
    this.certificate = this.#sign({ subject: name, publicKey, extension, validForMs: DAY_MS });
  }

  issue({ hosts, validForMs = DAY_MS }: CertificateRequest): ServerCertificate {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const extension = sequence(ALTERNATIVE_NAMES, octets(sequence(...hosts.map((host) => alternativeName(host)))));
    return {
      // The name is none of the hosts, so that a check passes only by the alternative names, as everywhere today.
      certificate: this.#sign({ subject: "server of a test", publicKey, extension, validForMs }),
      key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    };
  }

  /** RFC 5280, section 4.1. */
  #sign({ subject, publicKey, extension, validForMs }: Contents): string {
    const end = Date.now() + validForMs;
    const begin = Math.min(Date.now(), end) - HOUR_MS;
    const contents = sequence(
      explicit(0, integer(Buffer.of(2))), // Version 3.
      integer(Buffer.concat([Buffer.of(1), randomBytes(8)])),
      ECDSA_WITH_SHA256,
      nameOf(this.#name),
      sequence(time(new Date(begin)), time(new Date(end))),
      nameOf(subject),
      publicKey.export({ type: "spki", format: "der" }),
      explicit(3, sequence(extension)),
    );
    const signature = sign("sha256", contents, this.#key);
    return pem(sequence(contents, ECDSA_WITH_SHA256, bits(signature)));
  }
}

function nameOf(name: string): Buffer {
  return sequence(set(sequence(COMMON_NAME, text(name))));
}

function alternativeName(host: string): Buffer {
  return isIPv4(host) ? implicit(7, Buffer.from(host.split(".").map(Number))) : implicit(2, Buffer.from(host));
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/gu) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
