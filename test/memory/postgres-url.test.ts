import { describe, expect, it, vi } from "vitest";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { isOnThisMachine, nameOf, parseDatabaseUrl } from "../../src/memory/stores/postgres/url.js";

const refused = (url: string): { code: string; message: string; hint: string } => {
  try {
    new PostgresMemory(url);
  } catch (error) {
    return error as { code: string; message: string; hint: string };
  }
  throw new Error("accepted");
};

describe("the URL of a PostgreSQL memory", () => {
  it("names host, port, user, password and database", () => {
    expect(
      parseDatabaseUrl("postgres://al%20ice:p%40s%2Fs@db.example:6432/my%20chat"),
    ).toMatchObject({
      ...{ host: "db.example", port: 6432, user: "al ice", password: "p@s/s", database: "my chat" },
    });
    expect(parseDatabaseUrl("postgresql://[::1]/chat")).toMatchObject({
      host: "::1",
      tls: undefined,
    });
    expect(parseDatabaseUrl("postgres:///chat?host=/run/postgresql&port=6432")).toMatchObject({
      ...{ host: "/run/postgresql", port: 6432, tls: undefined },
    });
    expect(parseDatabaseUrl("postgres://%2Frun%2Fpostgresql/chat").host).toBe("/run/postgresql");
  });

  it("is never quoted, and a special character in the password is explained", () => {
    for (const url of [
      "postgres://u:sec#ret@host/db",
      "postgres://u:1#secret@host/db",
      "postgres://u:sec/ret@host/db",
      "postgres://u:1/secret@host/db",
      "postgres://u:sec?ret@host/db",
      "postgres://u:1?secret@host/db",
      "postgres://u:sec%ret@host/db",
      "postgres://u:secret@host:port/db",
      "postgres:secret",
    ]) {
      const { code, message, hint } = refused(url);
      expect(code).toBe("STORE_UNKNOWN");
      expect(message).toContain("PostgreSQL URL");
      expect(message + hint).not.toMatch(/sec|ret@|host\/db/);
      if (url !== "postgres:secret") expect(hint).toMatch(/%2F|%25/);
    }
  });

  it("names one host", () => {
    for (const url of ["postgres://u:secret@h1,h2/db", "postgres://u:secret@h1:1,h2:2/db"])
      expect(refused(url)).toMatchObject({ code: "STORE_UNKNOWN", hint: "Name one host." });
  });

  it("is encrypted and verified over a network, unless sslmode=disable is written out", () => {
    const tls = (rest: string) => parseDatabaseUrl(`postgres://u@${rest}`).tls;
    for (const mode of ["", "?sslmode=prefer", "?sslmode=require", "?sslmode=verify-full"])
      expect(tls(`db.example/chat${mode}`)).toBeDefined();
    expect(tls("10.0.0.1/chat")).toBeDefined();
    expect(tls("127.example/chat")).toBeDefined();
    expect(tls("db.example/chat?sslmode=verify-ca&sslrootcert=ca.pem")).toMatchObject({
      authorities: "ca.pem",
    });
    expect(tls("localhost/chat?sslmode=require")).toBeDefined();
    for (const host of ["localhost", "127.0.0.1", "[::1]"])
      expect(tls(`${host}/chat`)).toBeUndefined();
    expect(tls("db.example/chat?sslmode=disable")).toBeUndefined();
    for (const mode of ["no-verify", "verify", "DISABLE"])
      expect(refused(`postgres://u@db.example/chat?sslmode=${mode}`).code).toBe("STORE_UNKNOWN");
  });

  it("counts as local by its whole host name, not by how that begins", () => {
    const isLocal = (place: string) =>
      isOnThisMachine(parseDatabaseUrl(`postgres://u@${place}/chat?sslmode=disable`));
    for (const place of ["localhost", "127.0.0.2", "[::1]", "%2Frun"])
      expect(isLocal(place)).toBe(true);
    for (const place of ["127.example", "127.0.0.1.example", "localhost.example", "10.0.0.1"])
      expect(isLocal(place)).toBe(false);
  });

  it("takes the host and the encryption from the environment when it names none", () => {
    vi.stubEnv("PGHOST", "db.example");
    expect(parseDatabaseUrl("postgres:///chat").tls).toBeDefined();
    vi.stubEnv("PGSSLMODE", "disable");
    expect(parseDatabaseUrl("postgres:///chat").tls).toBeUndefined();
    vi.unstubAllEnvs();
  });

  it("is shortened to database and host in messages", () => {
    const address = parseDatabaseUrl("postgres://alice:secret@db.example:6432/chat");
    expect(nameOf(address)).toBe('"chat" at db.example:6432');
    expect(nameOf(parseDatabaseUrl("postgres://"))).toBe('"" at localhost');
  });

  it("has a port from 1 to 65535, and can name the system's certificate authorities", () => {
    for (const port of ["0", "65536", "1.5", "port"])
      expect(refused(`postgres:///chat?port=${port}`)).toMatchObject({
        code: "STORE_UNKNOWN",
        hint: "Leave it out to use 5432.",
      });
    expect(parseDatabaseUrl("postgres://db.example/chat?sslrootcert=system").tls).toMatchObject({
      authorities: undefined,
    });
  });

  it("can name certificate files, and an unreadable one is named in the error", async () => {
    for (const name of ["sslcert", "sslkey", "sslrootcert"]) {
      const memory = new PostgresMemory(`postgres://db.example/chat?${name}=/nowhere/${name}.pem`);
      await expect(memory.size("alice")).rejects.toMatchObject({
        code: "STORE_NOT_READY",
        message: expect.stringContaining(`"/nowhere/${name}.pem" cannot be read`),
      });
      await memory.close();
    }
  });
});
