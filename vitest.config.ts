import { defineConfig } from "vitest/config";
import { bundleOptions } from "./scripts/build.mjs";

export default defineConfig({
  define: bundleOptions.define,
  test: {
    include: ["test/**/*.test.ts"],
    pool: "threads",
    globalSetup: "test/global-setup.ts",
    // Real child processes take their time on a busy machine; the limits only end what hangs.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // On two cores the default is one worker; most tests wait for processes and sockets.
    maxWorkers: "100%",
    coverage: {
      provider: "v8",
      reporter: ["text"],
      include: ["src/memory/**", "src/agent/**"],
      exclude: ["src/memory/memory.ts"],
      thresholds: { lines: 95, branches: 95 },
    },
  },
});
