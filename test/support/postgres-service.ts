import { once } from "node:events";
import { createServer } from "node:http";
import { type PostgresServer, startPostgres } from "./postgres-server.js";

/** Where a test file asks for the server that all test files share. */
const ADDRESS = "AGNO_CHAT_TEST_POSTGRES_SERVICE";

/** Starts that server once the first test file asks for it. Called before all tests. */
export async function offerPostgres(): Promise<{ stop(): Promise<void> }> {
  let server: Promise<PostgresServer> | undefined;
  const service = createServer(async (_request, response) => {
    server ??= startPostgres();
    await server.then(
      ({ url }) => response.end(url),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  }).listen(0, "127.0.0.1");
  await once(service, "listening");
  const { port } = service.address() as { port: number };
  process.env[ADDRESS] = `http://127.0.0.1:${port}`;
  return {
    stop: async () => {
      service.close();
      await (await server?.catch(() => undefined))?.stop();
    },
  };
}

/**
 * The URL of a superuser of a PostgreSQL server: `AGNO_CHAT_TEST_POSTGRES`, or the server started
 * for the tests. Without either, the tests that need it are skipped, but never in CI.
 */
export async function postgresUrl(): Promise<string | undefined> {
  const given = process.env.AGNO_CHAT_TEST_POSTGRES;
  if (given !== undefined) return given;
  const response = await fetch(process.env[ADDRESS] as string);
  const text = await response.text();
  if (response.ok) return text;
  if (process.env.CI) throw new Error(`No PostgreSQL to test with: ${text}`);
  process.stderr.write(`SKIPPED: every test of PostgreSQL, since none could be started: ${text}\n`);
  return undefined;
}
