import { execSync } from "node:child_process";
import { existsSync } from "node:fs";

// Without the development dependencies (npm ci --omit=dev) there is nothing to build with, and nothing to build.
if (existsSync(new URL("../node_modules/esbuild", import.meta.url)))
  execSync("npm run --silent build", { stdio: "inherit" });
