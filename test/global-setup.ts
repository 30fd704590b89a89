import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "../scripts/build.mjs";
import { offerPostgres } from "./support/postgres-service.js";

/** Environment variables with a developer's own settings, which must not affect the tests. */
const PERSONAL =
  /^(OPENAI_|AGNO_CHAT_(?!TEST_)|XDG_|(HTTPS?|ALL|NO)_PROXY$|NO_COLOR$|FORCE_COLOR$|VISUAL$|EDITOR$)/i;

/**
 * Names a file of certificates that every process of Node reads when it starts, which takes two
 * thirds of the start. No test leaves the machine, and those of TLS have certificates of their own.
 */
const CERTIFICATES = "NODE_EXTRA_CA_CERTS";

/**
 * Runs before all tests: removes personal settings, sets an empty home folder, builds. This cannot
 * be done in each test file, because a worker thread cannot change the environment that
 * `os.homedir()` reads.
 */
export async function setup(): Promise<() => Promise<void>> {
  for (const name of Object.keys(process.env).filter((key) => PERSONAL.test(key)))
    delete process.env[name];
  delete process.env[CERTIFICATES];
  const home = await mkdtemp(path.join(tmpdir(), "agno-chat-home-"));
  process.env.HOME = home;
  process.env.USERPROFILE = home;
  await buildOrRemove();
  const postgres = await offerPostgres();
  return async () => {
    await postgres.stop();
    await refuseUsedHome(home);
  };
}

/** If the build fails, removes `dist`, so that no test runs an old build, and ends the run. */
async function buildOrRemove(): Promise<void> {
  try {
    await build();
  } catch (error) {
    await rm("dist", { recursive: true, force: true });
    throw error;
  }
}

async function refuseUsedHome(home: string): Promise<void> {
  const left = await readdir(home);
  await rm(home, { recursive: true });
  if (left.length === 0) return;
  process.stderr.write(`A test wrote to the home folder: ${left.join(", ")}\n`);
  // Vitest prints what a teardown throws and still ends with 0.
  process.exitCode = 1;
}
