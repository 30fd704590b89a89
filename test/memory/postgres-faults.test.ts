import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { AgnoChatError } from "../../src/errors.js";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { userMessage } from "../../src/messages.js";
import { freePort } from "../support/free-port.js";
import { ask, asRole, connected, newDatabase, newRole } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";
import { stopClock } from "../support/stopped-clock.js";

const server = (await postgresUrl()) ?? "";

/** How the first call of a memory at this URL fails. */
async function failure(url: string): Promise<AgnoChatError> {
  const memory = new PostgresMemory(url);
  const error = await memory.size("alice").then(
    () => undefined,
    (thrown: AgnoChatError) => thrown,
  );
  await memory.close();
  if (error === undefined) throw new Error("it did not fail");
  return error;
}

const changed = (change: (url: URL) => void): string => {
  const url = new URL(server);
  change(url);
  return url.href;
};

/** What a server sends in place of an answer. */
function errorResponse(code: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0Mno\0\0`);
  const length = Buffer.alloc(4);
  length.writeInt32BE(fields.length + length.length);
  return Buffer.concat([Buffer.from("E"), length, fields]);
}

describe.skipIf(server === "")("a failure of PostgreSQL", () => {
  it("is one line with the next step, and without the password", async () => {
    const port = await freePort();
    const { password } = new URL(server);
    for (const [change, code, message] of [
      [(url: URL) => (url.port = `${port}`), "STORE_FAILED", "nothing is listening there"],
      [
        (url: URL) => (url.password = "wrong"),
        "STORE_NOT_READY",
        "refuses this role or its password",
      ],
      [(url: URL) => (url.pathname = "/missing"), "STORE_NOT_READY", "it does not exist"],
      [(url: URL) => (url.search = "sslmode=require"), "STORE_NOT_READY", "offers no encryption"],
      [
        (url: URL) => (url.search = "sslmode=require&sslrootcert=no.pem"),
        "STORE_NOT_READY",
        "no.pem",
      ],
    ] as const) {
      const error = await failure(changed(change));
      expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
      expect(error.message).toMatch(
        /^Cannot use the database "\w+" at 127\.0\.0\.1:\d+: [^\n]+\.$/,
      );
      expect(error.hint).toMatch(/^[A-Z][^\n]+[\w.]$/);
      expect(`${error.message} ${error.hint} ${JSON.stringify(error)}`).not.toContain(password);
    }
  });

  it("ends with its cause: the same memory works again", async () => {
    const role = await newRole(server);
    const url = asRole(await newDatabase(server, { owner: role.name }), role);
    await ask(server, `ALTER ROLE ${role.name} NOLOGIN`);
    const memory = new PostgresMemory(url);
    await expect(memory.size("alice")).rejects.toMatchObject({ code: "STORE_NOT_READY" });
    await ask(server, `ALTER ROLE ${role.name} LOGIN`);
    await memory.add(userMessage("hi"), "alice");
    expect(await memory.size("alice")).toBe(1);
    await memory.close();
  });

  it("quotes nothing that is stored", async () => {
    const url = await newDatabase(server);
    const memory = new PostgresMemory(url);
    await memory.add(userMessage("a secret"), "alice");
    await ask(url, "ALTER TABLE agno_chat.messages ADD CHECK (body NOT LIKE '%private%')");
    const error = await memory.add(userMessage("private"), "alice").then(
      () => undefined,
      (thrown: AgnoChatError) => thrown,
    );
    expect(error?.code).toBe("STORE_FAILED");
    expect(`${error?.message} ${error?.hint} ${error?.cause}`).not.toMatch(/private|secret/);
    expect(await memory.size("alice")).toBe(1);
    await memory.close();
  });

  it.each([
    ["53100", "STORE_FAILED", "its disk is full"],
    ["53200", "STORE_FAILED", "it is out of memory"],
    ["57014", "STORE_FAILED", "it ended the call after its time limit"],
    ["58030", "STORE_FAILED", "its server has trouble with its disk"],
    ["XX001", "STORE_FAILED", "its server has found damage or a bug"],
    ["42501", "STORE_NOT_READY", "this role may not use it"],
  ])("that the server reports as %s stores nothing and is explained", async (state, code, what) => {
    const url = await newDatabase(server);
    const memory = new PostgresMemory(url);
    await memory.add(userMessage("hi"), "alice");
    await ask(
      url,
      `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'a secret' USING ERRCODE = '${state}'; END $$;
       CREATE TRIGGER fail BEFORE INSERT ON agno_chat.messages EXECUTE FUNCTION fail()`,
    );
    const error = await memory.add(userMessage("late"), "alice").then(
      () => undefined,
      (thrown: AgnoChatError) => thrown,
    );
    expect(error).toMatchObject({ code, message: expect.stringContaining(`: ${what}.`) });
    expect(`${error?.message} ${error?.hint} ${error?.cause}`).not.toContain("secret");
    await ask(url, "DROP FUNCTION fail CASCADE");
    expect(await memory.size("alice")).toBe(1);
    await memory.close();
  });

  it("comes after 10 seconds if nothing answers at the other end", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    onTestFinished(() => silent.close() && undefined);
    stopClock();
    const { port } = silent.address() as AddressInfo;
    const failed = failure(`postgres://alice:secret@127.0.0.1:${port}/chat`);
    await once(silent, "connection");
    await vi.advanceTimersByTimeAsync(10_000);
    expect((await failed).message).toBe(
      `Cannot use the database "chat" at 127.0.0.1:${port}: the server does not answer.`,
    );
  });

  it.each(["57P01", "57P03", "53300"])(
    "is waited for on opening if it passes: %s",
    async (code) => {
      let connections = 0;
      const starting = createServer((socket) => {
        connections += 1;
        const now = connections < 3 ? code : "28P01";
        socket.on("error", () => {}).once("data", () => socket.end(errorResponse(now)));
      }).listen(0, "127.0.0.1");
      await once(starting, "listening");
      const { port } = starting.address() as AddressInfo;
      const error = await failure(`postgres://alice:secret@127.0.0.1:${port}/chat?sslmode=disable`);
      starting.close();
      expect(error.message).toContain("it refuses this role or its password");
      expect(connections).toBe(3);
    },
  );

  it("comes within the time limit if a row stays locked", async () => {
    const url = await newDatabase(server);
    const memory = new PostgresMemory(url);
    await memory.add(userMessage("hi"), "alice");
    await ask(
      url,
      `DO $$ DECLARE f regprocedure; BEGIN
         FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'agno_chat'::regnamespace LOOP
           EXECUTE format('ALTER FUNCTION %s SET lock_timeout = ''100ms''', f);
         END LOOP; END $$`,
    );
    await connected(url, async (client) => {
      await client.query("BEGIN; SELECT FROM agno_chat.users FOR UPDATE");
      await expect(memory.add(userMessage("late"), "alice")).rejects.toMatchObject({
        code: "STORE_FAILED",
        message: expect.stringContaining("locked"),
      });
    });
    expect(await memory.size("alice")).toBe(1);
    await memory.close();
  });

  it("is hidden by another attempt if another connection succeeds", async () => {
    const url = await newDatabase(server);
    const memory = new PostgresMemory(url);
    await memory.add(userMessage("hi"), "alice");
    const name = new URL(url).pathname.slice(1);
    // What a standby answers: connections made from now on can write again.
    await ask(url, `ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    const terminate = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`;
    await ask(url, terminate);
    expect(await memory.size("alice")).toBe(1);
    const late = memory.add(userMessage("late"), "alice");
    await ask(server, `ALTER DATABASE ${name} SET default_transaction_read_only = off`);
    await late;
    expect(await memory.size("alice")).toBe(2);
    await memory.close();
  });

  it("never keeps a process alive, and neither does an open memory", async () => {
    const url = await newDatabase(server);
    const program = `
      import { PostgresMemory, userMessage } from ${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)};
      const memory = new PostgresMemory(process.env.DATABASE);
      await memory.add(userMessage("hi"), "alice");
      console.log(await memory.size("alice"));
      const start = performance.now();
      process.on("exit", () => console.log(performance.now() - start < 1000));`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      env: { ...process.env, DATABASE: url },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = (await child.stdout.toArray()).join("").split("\n");
    expect(lines).toEqual(["1", "true", ""]);
  });
});
