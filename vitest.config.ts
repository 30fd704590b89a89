import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { bundleOptions } from "./scripts/build.mjs";

/** Begun first, so that at the end no worker is left alone with one of them. */
const LONGEST = [
  "test/verify/verify-isolation.test.ts",
  "test/memory/postgres-conformance.test.ts",
  "test/package/readme.test.ts",
  "test/package/docstring-examples.test.ts",
  "test/cli/verify.test.ts",
  "test/cli/verify-live.test.ts",
  "test/cli/verify-postgres.test.ts",
  "test/verify/send-target.test.ts",
  "test/verify/model-target.test.ts",
  "test/verify/server-doors.test.ts",
  "test/verify/battery.test.ts",
  "test/verify/foreign-app.test.ts",
  "test/verify/processes.test.ts",
  "test/verify/own-server.test.ts",
  "test/server/tokens.test.ts",
  "test/cli/store-copy.test.ts",
  "test/cli/store-setup.test.ts",
  "test/data/import/import-history.test.ts",
  "test/cli/postgres-page.test.ts",
  "test/memory/search-stores.test.ts",
  "test/memory/conformance.test.ts",
  "test/memory/postgres-processes.test.ts",
  "test/data/erasure/database-proof.test.ts",
  "test/examples/express-chat.test.ts",
];

const unknown = LONGEST.filter((file) => !existsSync(file));
if (unknown.length > 0) throw new Error(`vitest.config.ts names no test: ${unknown}`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId }: TestSpecification): number => {
      const place = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}`));
      return place === -1 ? LONGEST.length : place;
    };
    return (await super.sort(files)).sort((one, other) => placeOf(one) - placeOf(other));
  }
}

export default defineConfig({
  define: bundleOptions.define,
  test: {
    include: ["test/**/*.test.ts"],
    pool: "threads",
    sequence: { sequencer: LongestFirst },
    globalSetup: "test/global-setup.ts",
    // Real child processes take their time on a busy machine; the limits only end what hangs.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 120_000, interval: 20 } },
    // Most tests wait for processes and sockets, in which others can use the cores.
    maxWorkers: availableParallelism() + 2,
    coverage: {
      provider: "v8",
      reporter: ["text"],
      include: ["src/memory/**", "src/agent/**"],
      exclude: ["src/memory/memory.ts"],
      thresholds: { lines: 95, branches: 95 },
    },
  },
});
