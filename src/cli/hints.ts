import type { AgnoChatError, ErrorCode, HintId } from "../errors.js";

/** Hints of the library in the words of the command line, which has flags and variables. */
const BY_ID: Readonly<Record<HintId, string>> = {
  "allow-anonymous":
    "Listen on 127.0.0.1, let people in with --auth tokens, or accept the risk with --allow-anonymous.",
  "choose-model": "Name the model with --model, or check the base URL: it usually ends in /v1.",
  "give-key":
    "Name the variable that holds a key for that server with --api-key-env, or save one with agno-chat config.",
  "give-openai-key": "Set OPENAI_API_KEY, or name another server with --base-url.",
  "init-store":
    "Let its administrator run `agno-chat store init URL --grant ROLE` with the name of this role.",
  "lease-store":
    "Name a PostgreSQL database with --store, or do without --lease (AGNO_CHAT_LEASE=false).",
  "less-history":
    "Send less of the history (--history-tokens or --history), or name a model with a larger context (--model).",
  "list-models": "List the models it has with `agno-chat models`.",
  "see-cause": "Run again with --debug to see the cause.",
};

/** The same for every error with one of these codes. */
const BY_CODE: Partial<Record<ErrorCode, string>> = {
  ADDRESS_IN_USE: "Choose another with --port, or stop the program that listens there.",
  CONTEXT_TOO_LONG:
    "Send less at once, shorten the instructions (--system), or name a model with a larger context (--model).",
  MAX_LOOPS: "Ask for less at once.",
};

/** The next step a user of the command line can take. */
export const hintFor = ({ code, hint, hintId }: AgnoChatError): string | undefined =>
  (hintId && BY_ID[hintId]) ?? BY_CODE[code] ?? hint;
