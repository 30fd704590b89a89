import { createReadStream, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { DemoModel } from "../../models/demo.js";
import type { Context } from "../context.js";
import { transcript } from "../script/transcript.js";
import { homeOf } from "../settings/home.js";
import { resolveSettings } from "../settings/settings.js";

const SCRIPT = "demo.chat";

/** How fast the demo talks on a terminal: milliseconds a word. */
const PACE = 25;

/** `demo`: the story of alice and bob, offline, on a memory that is thrown away, whatever the settings say. */
export async function demo(context: Context): Promise<number> {
  const { io } = context;
  const settings = resolveSettings({
    flags: { user: "alice", tools: "notes,clock,calculator" },
    env: {},
    file: {},
    home: homeOf(io.env),
  });
  return transcript(
    { ...context, settings },
    {
      name: SCRIPT,
      source: createReadStream(join(packageRoot(), "examples", SCRIPT)),
      model: new DemoModel({ delayMs: io.stdout.isTTY ? PACE : 0 }),
      store: "memory:",
      keepGoing: false,
      echo: true,
    },
  );
}

/** The folder of package.json: this file is at different depths before and after the build. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}
