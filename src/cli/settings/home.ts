import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Io } from "../io.js";

/** The folder of all data and settings: `AGNO_CHAT_HOME`, else `~/.agno-chat`. It may not exist yet. */
export const homeOf = (env: Io["env"]): string =>
  env.AGNO_CHAT_HOME ? resolve(env.AGNO_CHAT_HOME) : join(homedir(), ".agno-chat");
