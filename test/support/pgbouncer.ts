import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { freePort } from "./free-port.js";
import { giveToNobody, startService } from "./service-process.js";

const run = promisify(execFile);

/** Debian keeps it where only root looks. */
const PATH = [process.env.PATH, "/usr/sbin"].join(path.delimiter);

/** A PgBouncer that gives each transaction one of two connections, whoever had it before. */
export interface PgBouncer {
  /** The same database and role through the pooler. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Its first line of version; undefined if it is not installed, which is said on stderr. */
export async function pgBouncerVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await run("pgbouncer", ["--version"], { env: { PATH } });
    return stdout.split("\n")[0];
  } catch (error) {
    const { message } = error as Error;
    process.stderr.write(
      `SKIPPED: every test through a pooler, since pgbouncer is not installed: ${message}\n`,
    );
    return undefined;
  }
}

export async function startPgBouncer(target: string): Promise<PgBouncer> {
  const { hostname, port, username, password } = new URL(target);
  const folder = await mkdtemp(path.join(tmpdir(), "agno-chat-pgbouncer-"));
  const [config, users] = [path.join(folder, "pgbouncer.ini"), path.join(folder, "users.txt")];
  const url = new URL(target);
  url.port = `${await freePort()}`;
  const settings = {
    listen_addr: "127.0.0.1",
    listen_port: url.port,
    unix_socket_dir: "",
    auth_type: "scram-sha-256",
    auth_file: users,
    pool_mode: "transaction",
    default_pool_size: 2,
    max_client_conn: 200,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  const databases = `* = host=${hostname} port=${port}`;
  await writeFile(config, ["[databases]", databases, "[pgbouncer]", ...lines, ""].join("\n"));
  const words = [username, password].map((word) => `"${decodeURIComponent(word)}"`);
  await writeFile(users, `${words.join(" ")}\n`);
  await giveToNobody(folder, config, users);
  const options = {
    cwd: folder,
    env: { PATH },
    readyLine: "process up",
    endSignal: "INT",
  } as const;
  const service = await startService(["pgbouncer", config], options);
  return {
    url: url.href,
    stop: async () => {
      await service.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
