import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** A key and its certificate, in PEM. */
export interface SelfSigned {
  readonly key: string;
  readonly cert: string;
}

const [INTEGER, BITS, OCTETS, OID, UTF8, TIME, SEQUENCE, SET] = [2, 3, 4, 6, 12, 24, 48, 49];
/** Tags that depend on their place: version and extensions of a certificate, a name and an address of a host. */
const [VERSION, EXTENSIONS, HOST, ADDRESS] = [0xa0, 0xa3, 0x82, 0x87];
const DAY = 86_400_000;

/** Encodes a value of ASN.1 by its distinguished rules (DER). */
function encode(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const bytes = (...values: readonly number[]): Buffer => Buffer.from(values);
const timeOf = (at: number): Buffer =>
  encode(TIME, Buffer.from(`${new Date(at).toISOString().replace(/\D/g, "").slice(0, 14)}Z`));

/**
 * Makes a certificate that signs itself, for `localhost` and 127.0.0.1, valid from yesterday to tomorrow
 * (RFC 5280, section 4.1). Node reads certificates, and writes none.
 */
export function makeSelfSigned(): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  // ecdsa-with-SHA256
  const algorithm = encode(SEQUENCE, encode(OID, bytes(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2)));
  const commonName = encode(
    SEQUENCE,
    encode(OID, bytes(0x55, 4, 3)),
    encode(UTF8, Buffer.from("a federation of tests")),
  );
  const name = encode(SEQUENCE, encode(SET, commonName));
  const validity = encode(SEQUENCE, timeOf(Date.now() - DAY), timeOf(Date.now() + DAY));
  const isAuthority = encode(SEQUENCE, bytes(1, 1, 255));
  const hosts = encode(
    SEQUENCE,
    encode(HOST, Buffer.from("localhost")),
    encode(ADDRESS, bytes(127, 0, 0, 1)),
  );
  const extensions = encode(
    SEQUENCE,
    encode(SEQUENCE, encode(OID, bytes(0x55, 0x1d, 19)), encode(OCTETS, isAuthority)),
    encode(SEQUENCE, encode(OID, bytes(0x55, 0x1d, 17)), encode(OCTETS, hosts)),
  );
  const serial = Buffer.concat([bytes(1), randomBytes(8)]);
  const statement = encode(
    SEQUENCE,
    ...[encode(VERSION, encode(INTEGER, bytes(2))), encode(INTEGER, serial), algorithm, name, validity, name],
    ...[publicKey.export({ type: "spki", format: "der" }), encode(EXTENSIONS, extensions)],
  );
  const signature = encode(BITS, bytes(0), sign("sha256", statement, privateKey));
  const certificate = encode(SEQUENCE, statement, algorithm, signature).toString("base64");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.match(/.{1,64}/g)?.join("\n")}\n-----END CERTIFICATE-----\n`,
  };
}
