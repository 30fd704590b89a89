import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { checkPostgres } from "../../src/memory/stores/postgres/admin.js";
import { userMessage } from "../../src/messages.js";
import { temporaryFile } from "../support/memory-file.js";
import { ask } from "../support/postgres.js";
import { startPostgres } from "../support/postgres-server.js";
import { postgresUrl } from "../support/postgres-service.js";

/** The server must be ours, since its certificate is. */
const ownServer =
  process.env.AGNO_CHAT_TEST_POSTGRES === undefined && (await postgresUrl()) !== undefined;

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
if (process.env.CI && !hasOpenssl) throw new Error("The tests of TLS need openssl.");

/** A certificate for `localhost` that no authority has signed. */
function selfSigned(): { certificate: string; key: string } {
  const certificate = temporaryFile("server.crt");
  const key = join(dirname(certificate), "server.key");
  const { status, stderr } = spawnSync("openssl", [
    ...["req", "-x509", "-nodes", "-days", "2", "-newkey", "rsa:2048"],
    ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
    ...["-keyout", key, "-out", certificate],
  ]);
  expect([status, `${stderr}`.includes("rror")]).toEqual([0, false]);
  return { certificate, key };
}

describe.runIf(ownServer && hasOpenssl)("an encrypted connection to PostgreSQL", () => {
  it("is used if the certificate is trusted and for that host, and refused otherwise", async () => {
    const tls = selfSigned();
    const server = await startPostgres({ tls });
    onTestFinished(() => server.stop());
    const urlOf = (host: string, parameters: Record<string, string>): string => {
      const url = new URL(server.url);
      url.hostname = host;
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return url.href;
    };
    const encryptionOf = async (host: string, parameters: Record<string, string>) => {
      const { findings } = await checkPostgres(urlOf(host, parameters));
      return findings.find(({ about }) => about === "encryption")?.text;
    };
    const used = async (host: string, parameters: Record<string, string>): Promise<number> => {
      const memory = new PostgresMemory(urlOf(host, parameters));
      try {
        await memory.add(userMessage("hi"), "alice");
        return await memory.size("alice");
      } finally {
        await memory.close();
      }
    };
    const trusted = { sslmode: "verify-full", sslrootcert: tls.certificate };
    expect(await used("localhost", { ...trusted, application_name: "encrypted" })).toBe(1);
    expect(await ask(server.url, "SHOW ssl")).toEqual([{ ssl: "on" }]);
    expect(await encryptionOf("localhost", trusted)).toBe("TLS, and the server is verified");
    expect(await encryptionOf("127.0.0.1", {})).toBe("none, and nothing leaves this machine");

    await expect(used("localhost", { sslmode: "require" })).rejects.toMatchObject({
      message: expect.stringContaining("its certificate is not trusted"),
      hint: expect.stringContaining("sslrootcert=FILE"),
    });
    await expect(used("127.0.0.1", trusted)).rejects.toMatchObject({
      message: expect.stringContaining("its certificate is for another host"),
    });
    expect(await ask(server.url, "SELECT count(*)::int FROM agno_chat.messages")).toEqual([
      { count: 1 },
    ]);
  });
});
