import { execSync } from "node:child_process";
import { existsSync } from "node:fs";

// Skipped without the development dependencies (npm ci --omit=dev), which the build needs.
if (existsSync(new URL("../node_modules/esbuild", import.meta.url)))
  execSync("npm run --silent build", { stdio: "inherit" });
