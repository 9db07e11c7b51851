import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../../test/helpers/free-port.ts";
import { runAlone } from "../../../test/helpers/run-cli.ts";
import { type StartedServer, warnSkipped } from "../../distributed/test/start-process.ts";
import { startRedis } from "../../distributed/test/start-redis.ts";

let folder: string;
let server: StartedServer | undefined;
let address: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-tls-"));
  if (!makeCertificate()) return;
  const port = await freePort();
  const inFolder = (name: string) => join(folder, name);
  server = await startRedis([
    ...["--port", "0", "--tls-port", String(port), "--tls-auth-clients", "no"],
    ...["--tls-cert-file", inFolder("own.crt"), "--tls-key-file", inFolder("own.key")],
    ...["--tls-ca-cert-file", inFolder("own.crt")],
  ]);
  if (server === undefined) return;
  const url = new URL(server.url);
  url.port = String(port);
  address = url.href.replace(/^redis:/, "rediss:");
}, 60_000);
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

/** Makes a certificate for this machine that signs itself; false, with a warning, if there is no OpenSSL. */
function makeCertificate(): boolean {
  try {
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "own.key", "-out", "own.crt"],
        ...["-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
      ],
      { cwd: folder, stdio: "pipe" },
    );
    return true;
  } catch (error) {
    warnSkipped(`openssl cannot make a certificate: ${String(error)}`, "queues in Redis over TLS");
    return false;
  }
}

/** What a command says while workers start, which takes longer on a busy machine. */
const WAITING = /^No worker serves .*\n/gm;
const notesBut = (expected: RegExp, notes: string): string => notes.replaceAll(expected, "");

describe("isthmus queue over TLS", () => {
  it("reaches a Redis whose certificate it trusts", async (context) => {
    if (server === undefined) return context.skip();
    const run = await runAlone(["queue", "status", "--queue", address], {
      env: { NODE_EXTRA_CA_CERTS: join(folder, "own.crt") },
    });
    expect([run.code, notesBut(WAITING, run.stderr)]).toEqual([0, ""]);
    expect(run.stdout).toMatch(/rediss:\/\/127\.0\.0\.1/);
  });

  it("refuses a certificate that nobody it trusts has signed, and says no password", async (context) => {
    if (server === undefined) return context.skip();
    const run = await runAlone(["queue", "status", "--queue", address]);
    expect([run.code, run.stdout]).toEqual([2, ""]);
    expect(run.stderr).toMatch(/^isthmus queue: Cannot open the queue .*: self-signed certificate/);
    expect(run.stderr).not.toMatch(/sesame/);
  });
});
