import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build as bundle } from "esbuild";
import { bundleOptions } from "./build.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Writes man/agno-chat.1 from the tables in the source. */
const page = path.join(root, "dist", `man-page.${process.pid}.js`);
try {
  await bundle({ ...bundleOptions, entryPoints: ["src/cli/manual/man-page.ts"], outfile: page });
  const { manPage } = await import(pathToFileURL(page).href);
  await mkdir(path.join(root, "man"), { recursive: true });
  await writeFile(path.join(root, "man", "agno-chat.1"), manPage());
} finally {
  await rm(page, { force: true });
}
