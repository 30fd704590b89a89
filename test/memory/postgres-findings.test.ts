import { describe, expect, it } from "vitest";
import type { Finding } from "../../src/memory/store-report.js";
import { findingsOf } from "../../src/memory/stores/postgres/findings.js";
import type { Facts } from "../../src/memory/stores/postgres/inspect.js";
import { MIGRATIONS } from "../../src/memory/stores/postgres/schema.js";
import { parseDatabaseUrl } from "../../src/memory/stores/postgres/url.js";

const OWNER = {
  name: "agno_chat_owner",
  isSuperuser: false,
  bypassesRowSecurity: false,
  mayLogIn: false,
};

const TABLE = {
  name: "messages",
  hasUsers: true,
  isEnabled: true,
  isForced: true,
  policies: ["(user_id = current_setting('agno_chat.user_id'::text, true))"],
  mayBeRead: false,
};

const SAFE: Facts = {
  server: {
    version: "18.1",
    versionNumber: 180_001,
    encoding: "UTF8",
    collation: "C",
    isolation: "read committed",
    synchronousCommit: "on",
    fsync: "on",
    isReadOnly: false,
    peer: { isEncrypted: false, isOnItsMachine: true },
  },
  isBound: true,
  version: MIGRATIONS.length,
  owner: OWNER,
  login: { ...OWNER, name: "app", mayLogIn: true, isOwner: false },
  tables: [TABLE, { ...TABLE, name: "meta", hasUsers: false, policies: [] }],
  functions: { strangers: [] },
  callers: ["app"],
  isPublic: false,
  hasPooler: false,
  medians: { trip: 0.1, read: 0.2 },
};

const LOCAL = "postgres://app@localhost/chat";

/** What `store check` says about one thing, when `facts` differ from a safe database. */
function finding(about: string, facts: Partial<Facts> = {}, url = LOCAL): Finding {
  const all = findingsOf({ ...SAFE, ...facts }, parseDatabaseUrl(url));
  return all.find((each) => each.about === about) as Finding;
}

const server = (facts: Partial<Facts["server"]>): Partial<Facts> => ({
  server: { ...SAFE.server, ...facts },
});

describe("what store check says about a PostgreSQL database", () => {
  it("is all ok for a database that keeps its users apart", () => {
    const all = findingsOf(SAFE, parseDatabaseUrl(LOCAL));
    expect(all.filter(({ status }) => status !== "ok")).toEqual([]);
  });

  it.each<[what: string, about: string, Partial<Facts>, text: string]>([
    ["row security applies to nobody", "row security", { isBound: false }, "applies to no call"],
    [
      "a table is not forced",
      "tables",
      { tables: [{ ...TABLE, isForced: false }] },
      "not enabled and forced on messages",
    ],
    [
      "a policy was added",
      "tables",
      { tables: [{ ...TABLE, policies: [...TABLE.policies, "true"] }] },
      "the policies of messages are not those of agno-chat",
    ],
    [
      "a function runs as its caller",
      "functions",
      { functions: { strangers: ["read_v1"] } },
      "read_v1 would not run as the owner",
    ],
    [
      "the owner is a superuser",
      "owner",
      { owner: { ...OWNER, isSuperuser: true } },
      "row security does not apply to agno_chat_owner",
    ],
    ["every role may call", "callers", { isPublic: true }, "every role of the server"],
    [
      "the encoding holds not every text",
      "text",
      server({ encoding: "LATIN1" }),
      "LATIN1 cannot hold",
    ],
  ])("is unsafe when %s", (_, about, facts, text) => {
    const found = finding(about, facts);
    expect(found).toMatchObject({ status: "unsafe", text: expect.stringContaining(text) });
    expect(found.hint).toBeTruthy();
  });

  it.each<[what: string, about: string, Partial<Facts>, text: string]>([
    [
      "somebody can log in as the owner",
      "owner",
      { owner: { ...OWNER, mayLogIn: true } },
      "can log in",
    ],
    [
      "the login is a superuser",
      "login",
      { login: { ...SAFE.login, isSuperuser: true } },
      "app is a superuser",
    ],
    [
      "the login is a member of the owner",
      "login",
      { login: { ...SAFE.login, isOwner: true } },
      "can act as the owner",
    ],
    [
      "the login can read a table",
      "login",
      { tables: [{ ...TABLE, mayBeRead: true }] },
      "can read messages directly",
    ],
    ["the server is a standby", "durability", server({ isReadOnly: true }), "standby"],
    ["fsync is off", "durability", server({ fsync: "off" }), "fsync is off"],
    [
      "a commit does not wait for the disk",
      "durability",
      server({ synchronousCommit: "off" }),
      "synchronous_commit is off",
    ],
    [
      "the schema is of an earlier release",
      "server",
      { version: 1 },
      `schema 1 of ${MIGRATIONS.length}, which is too old`,
    ],
    [
      "the server is older than any that was tested",
      "server",
      server({ version: "13.9", versionNumber: 130_009 }),
      "versions before 14 are not tested",
    ],
  ])("warns when %s", (_, about, facts, text) => {
    const found = finding(about, facts);
    expect(found).toMatchObject({ status: "warning", text: expect.stringContaining(text) });
    expect(found.hint).toBeTruthy();
  });

  const REMOTE = "postgres://app@db.example/chat";
  const encrypted = (isEncrypted: boolean | null, isOnItsMachine = false): Partial<Facts> =>
    server({ peer: { isEncrypted, isOnItsMachine } });

  it.each<[what: string, url: string, Partial<Facts>, status: Finding["status"], text: string]>([
    ["TLS is off", `${REMOTE}?sslmode=disable`, {}, "warning", "none: conversations travel as"],
    ["nothing leaves the machine", LOCAL, {}, "ok", "none, and nothing leaves this machine"],
    ["the server sees TLS", REMOTE, encrypted(true), "ok", "TLS, and the server is verified"],
    ["the server does not tell", REMOTE, encrypted(null), "ok", "TLS, and the server is verified"],
    ["TLS ends before the server", REMOTE, encrypted(false), "warning", "TLS ends before"],
  ])("tells of encryption when %s", (_what, url, facts, status, text) => {
    const found = finding("encryption", facts, url);
    expect(found).toMatchObject({ status, text: expect.stringContaining(text) });
    expect(found.hint === undefined).toBe(status === "ok");
  });

  it.each<[what: string, url: string, Partial<Facts>, status: Finding["status"], text: string]>([
    ["encrypts", REMOTE, encrypted(true), "ok", "; TLS from the pooler to the server"],
    [
      "does not",
      REMOTE,
      encrypted(false),
      "warning",
      "; none from the pooler to the server: plain",
    ],
    ["is beside the server", LOCAL, encrypted(false, true), "ok", "to the server, on one machine"],
    ["is unknown to the server", LOCAL, encrypted(null), "ok", "; the server does not tell"],
  ])("tells both ways of a pooler apart, when it %s", (_what, url, facts, status, text) => {
    const found = finding("encryption", { ...facts, hasPooler: true }, url);
    const own =
      url === LOCAL ? "none to the pooler, on this" : "TLS to the pooler, which is verified";
    expect(found).toMatchObject({ status, text: expect.stringContaining(text) });
    expect(found.text.startsWith(own)).toBe(true);
  });

  it("names a lone owner, a pooler, and the isolation level of writes", () => {
    expect(finding("callers", { callers: [] }).text).toBe("agno_chat_owner alone");
    expect(finding("server", { hasPooler: true }).text).toContain("behind a pooler");
    expect(finding("transactions", server({ isolation: "repeatable read" })).text).toContain(
      "writes begin their own as read committed",
    );
  });

  it("shows no read time for a role that may not call the functions", () => {
    const medians = { trip: 0.1, read: undefined };
    expect(finding("latency", { medians }).text).toBe("0.1 ms a round trip, ? ms a read (medians)");
  });
});
