// biome-ignore-all lint/suspicious/noTemplateCurlyInString: users write these placeholders.

import type { ExportFormat } from "../data/export-options.js";
import type { UsageGroup } from "../data/history-sum.js";
import type { ImportFormat } from "../data/import/formats.js";
import {
  type CommandHandler,
  type CommandSpec,
  type OptionRows,
  row,
  type Uses,
} from "./command-spec.js";
import type { AskOptions } from "./commands/ask-options.js";
import type { Shell } from "./commands/completion.js";
import { repl } from "./commands/repl.js";
import type { ScriptOptions } from "./commands/run.js";
import type { CommonName } from "./common-options.js";
import { SETTING_NAMES } from "./settings/settings-table.js";

export const loadAsk = async (): Promise<CommandHandler<AskOptions>> =>
  (await import("./commands/ask.js")).ask;

/** Options of `ask`, also accepted with `-p`. */
export const ASK_OPTIONS: OptionRows<AskOptions> = {
  new: ["--new", "start a new session for that user"],
  stdin: ["--no-stdin", "do not read stdin"],
  raw: ["--raw", "print the model's text as it is, with escape sequences"],
  extract: ["-x, --extract", "print only the last code block of the answer"],
  streamJson: ["--stream-json", "print each event as it happens, a JSON object a line"],
  attach: [
    "-a, --attach <file>",
    "send this file, text or a picture, too; again for more",
    undefined,
    "repeats",
  ],
  schema: ["--schema <file>", "answer in JSON that fits the JSON Schema in this file"],
  interactive: ["-i, --interactive", "ask in the chat, and stay there"],
};

const LIMITS: readonly CommonName[] = [
  ...(["maxRequestsPerMinute", "maxRunsAtOnce", "maxTokensPerDay", "maxBytesKept"] as const),
];

const STORE = "sqlite:PATH, postgres://… or memory: (AGNO_CHAT_STORE)";

/** What the commands read that are about the history of one user. */
const OF_ONE_USER: Uses = {
  user: "whose history it is (AGNO_CHAT_USER)",
  session: "this session alone; without it, all of them",
  store: STORE,
  json: true,
};

const OF_ALL_USERS: Uses = { store: STORE, json: true };

/** What makes the next request to the model. */
const REQUEST: Uses = {
  ...{ user: true, session: true, model: true, system: true },
  ...{ store: STORE, json: true },
};

const REQUEST_ALSO: readonly CommonName[] = [
  ...(["baseUrl", "apiKeyEnv", "tools", "historyLimit", "historyTokens"] as const),
];

/** What a conversation reads. */
const TALKS: Uses = { ...REQUEST, save: true };

const TALKS_ALSO: readonly CommonName[] = [
  ...REQUEST_ALSO,
  ...(["lease", "prices", "timeout"] as const),
  ...LIMITS,
];

/** Options of scripts. */
export const SCRIPT_OPTIONS: OptionRows<ScriptOptions> = {
  keepGoing: ["--keep-going", "go on after a failure and report all of them"],
};

const FORMATS = ["json", "jsonl", "md", "html", "openai"] satisfies readonly ExportFormat[];
const ORIGINS = ["agno-chat", "chatgpt", "claude", "openai"] satisfies readonly ImportFormat[];
const GROUPS = ["day", "model", "session"] satisfies readonly UsageGroup[];

/** One row per command. A command's file is loaded only when the command runs. */
export const COMMANDS: readonly CommandSpec[] = [
  row({
    name: "repl",
    args: "[words...]",
    summary: "chat in the terminal; the default",
    // `agno-chat -p` is `ask`.
    options: { ...ASK_OPTIONS, ...SCRIPT_OPTIONS },
    hidden: true,
    uses: { ...TALKS, yes: true },
    also: TALKS_ALSO,
    load: async () => repl,
  }),
  row({
    name: "ask",
    args: "[prompt...]",
    summary: "ask once and print the answer; without a prompt, or with -, read it from stdin",
    options: ASK_OPTIONS,
    uses: TALKS,
    also: TALKS_ALSO,
    load: loadAsk,
  }),
  row({
    name: "users",
    summary: "list the users who have a history",
    uses: OF_ALL_USERS,
    load: async () => (await import("./commands/users.js")).users,
  }),
  row({
    name: "size",
    summary: "count one user's messages and tokens, and what the history limit leaves out",
    uses: { ...OF_ONE_USER, historyLimit: true, historyTokens: true },
    load: async () => (await import("./commands/size.js")).size,
  }),
  row({
    name: "search",
    args: "<words...>",
    summary: "find words in one user's messages; a phrase in quotation marks",
    options: {
      since: ["--since <time>", "only messages of this time until now, such as 7d"],
      limit: ["--limit <count>", "show so many, the best first (10)"],
    },
    uses: OF_ONE_USER,
    load: async () => (await import("./commands/search.js")).search,
  }),
  row({
    name: "stats",
    summary: "show the tokens and the cost of one user's replies, and what the user may use",
    options: { by: ["--by <group>", "day (of UTC, the default), model or session", GROUPS] },
    uses: { ...OF_ONE_USER, prices: true },
    also: LIMITS,
    load: async () => (await import("./commands/stats.js")).stats,
  }),
  row({
    name: "export",
    summary: "print one user's history",
    options: {
      format: [
        "--format <format>",
        "json, jsonl (one message a line), md, html (a page to print) or openai (messages to send on)",
        FORMATS,
      ],
      since: ["--since <time>", "only runs begun in this time until now, such as 7d"],
      last: ["--last <count>", "at most this many of the latest messages, as whole runs"],
      output: ["-o, --output <file>", "write to a file, unless nothing is stored; - is stdout"],
      force: ["--force", "overwrite the file if it exists"],
    },
    uses: OF_ONE_USER,
    load: async () => (await import("./commands/export.js")).exportHistory,
  }),
  row({
    name: "import",
    args: "<file>",
    summary: "add the conversations of an export, also of ChatGPT or Claude; - is stdin",
    options: {
      from: ["--from <format>", "agno-chat, chatgpt, claude, openai; else the file tells", ORIGINS],
      dryRun: ["--dry-run", "count what would be imported, and import nothing"],
    },
    uses: { ...OF_ONE_USER, session: "the session, with --from openai alone" },
    also: ["maxBytesKept"],
    load: async () => (await import("./commands/import.js")).importFile,
  }),
  row({
    name: "clear",
    summary: "delete one user's history and session state",
    options: {
      allUsers: ["--all-users", "delete the data of all users"],
      dryRun: ["--dry-run", "count what would be deleted, and delete nothing"],
      olderThan: ["--older-than <time>", "delete only runs that ended longer ago, such as 30d"],
      prove: ["--prove", "search all that is left for the user's texts"],
      also: ["--also <file...>", "with --prove: search these files, too"],
    },
    uses: { ...OF_ONE_USER, yes: true },
    load: async () => (await import("./commands/clear.js")).clear,
  }),
  row({
    name: "backup",
    args: "<file>",
    summary: "copy the store with all users into a memory file, while others write to it",
    options: { force: ["--force", "overwrite the file if it exists"] },
    uses: OF_ALL_USERS,
    refuses: ["user"],
    load: async () => (await import("./commands/backup.js")).backup,
  }),
  row({
    name: "context",
    summary: "show what would be sent to the model next for one user",
    uses: REQUEST,
    also: REQUEST_ALSO,
    load: async () => (await import("./commands/context.js")).showContext,
  }),
  row({
    name: "run",
    args: "<script>",
    summary: "run a script of messages, /commands and ?expectations; - is stdin",
    options: SCRIPT_OPTIONS,
    uses: { ...TALKS, store: "where to keep it; without one, nothing is kept" },
    also: TALKS_ALSO,
    load: async () => (await import("./commands/run.js")).run,
  }),
  row({
    name: "demo",
    summary: "watch alice and bob share one agent, offline, in ten seconds",
    fixed: { model: "demo", store: "memory:", tools: "notes" },
    uses: { json: true },
    load: async () => (await import("./commands/demo.js")).demo,
  }),
  row({
    name: "serve",
    summary: "serve the agent over HTTP, A2A and OpenAI's protocols",
    options: {
      config: [
        "--config <file>",
        "JSON file with settings and these options; read anew on SIGHUP for the model, its key and the limits",
      ],
      host: ["--host <address>", "address to listen on (127.0.0.1)"],
      port: ["--port <number>", "port to listen on (8080); 0 means any free one"],
      auth: [
        "--auth <kind>",
        "who may send requests: tokens, made with agno-chat token create",
        ["tokens"],
      ],
      allowAnonymous: [
        "--allow-anonymous",
        "accept other machines without authentication: any caller can be any user",
      ],
      publicUrl: [
        "--public-url <url>",
        "URL under which clients reach the server, for the agent card",
      ],
      trustedProxies: [
        "--trusted-proxies <addresses>",
        "comma-separated proxies whose X-Forwarded-For and -Proto are believed",
      ],
      keepAlive: ["--keep-alive <time>", "how long an idle connection stays open (65s)"],
      audit: ["--audit <file>", "append who did what, when and from where, one JSON object a line"],
      metrics: ["--metrics <host:port>", "also answer GET /metrics there, for Prometheus"],
      removeInactive: [
        "--remove-inactive <time>",
        "every hour, delete the data of users inactive for that long",
      ],
    },
    uses: {
      model: true,
      system: true,
      store: STORE,
      timeout: true,
      json: true,
      yes: "delete inactive users even if they are most",
    },
    also: [...REQUEST_ALSO, "lease", ...LIMITS],
    load: async () => (await import("./commands/serve.js")).serve,
  }),
  row({
    name: "prune",
    summary: "delete the data of users who have been inactive for a while",
    options: {
      inactive: ["--inactive <time>", "how long, such as 90s, 30m, 24h or 7d"],
      dryRun: ["--dry-run", "count them, and delete nothing"],
    },
    uses: { ...OF_ALL_USERS, yes: true },
    refuses: ["user", "session"],
    load: async () => (await import("./commands/prune.js")).prune,
  }),
  row({
    name: "verify",
    summary: "prove that no user reaches another's texts: your store and tools, or any app",
    options: {
      users: ["--users <count>", "how many users at once (10)"],
      runs: ["--runs <count>", "about how many runs overlap (200)"],
      seed: ["--seed <number>", "plant the same texts in the same order again"],
      junit: ["--junit <file>", "also write the report as JUnit XML"],
      markdown: ["--markdown <file>", "also write the report as Markdown"],
      badge: ["--badge <file>", "also write a badge for shields.io"],
      record: ["--record <file>", "also write every request to the model, one JSON object a line"],
      url: ["--url <url>", "check any app over HTTP instead: POST {user_id, message} gets {reply}"],
      as: [
        "--as <shape>",
        "how the app is spoken to: chat, openai or a2a (chat)",
        ["chat", "openai", "a2a"],
      ],
      upstream: [
        "--upstream <host:port>",
        "be the app's model there, OpenAI-compatible, and see what the app sends",
      ],
      header: [
        "--header <header...>",
        "headers such as 'X-User: ${user}' or 'X-Session: ${session}'",
      ],
      tokens: [
        "--tokens",
        "give each user of the check a token of the store, for serve --auth tokens; revoked after it",
      ],
      body: ["--body <json>", "the message as JSON, with ${user}, ${session} and ${message}"],
      reply: ["--reply <path>", "where the reply is, such as .answer"],
      clear: ["--clear <route>", "a route that clears, such as 'DELETE http://…?user=${user}'"],
      live: ["--live", "let the model of the settings answer, in about 15 calls; asks first"],
      maxCalls: ["--max-calls <count>", "end a live check before it calls the model more often"],
    },
    uses: { store: STORE, tools: true, model: "for --live", json: true, yes: true },
    also: ["baseUrl", "apiKeyEnv"],
    refuses: ["user", "session"],
    load: async () => (await import("./commands/verify.js")).verify,
  }),
  row({
    name: "token",
    args: "[command]",
    summary: "make, list and revoke the tokens that let users in at a server",
    commands: [
      row({
        name: "create",
        summary: "make a token for one user, and print it this once",
        options: {
          label: ["--label <text>", "what it is for, such as laptop"],
          expires: ["--expires <time>", "how long it is valid, such as 30d; without, for ever"],
        },
        uses: { ...OF_ALL_USERS, user: "whose token it is" },
        load: async () => (await import("./commands/token.js")).createToken,
      }),
      row({
        name: "list",
        summary: "list the tokens of everybody, or of one user, without their secrets",
        uses: { ...OF_ALL_USERS, user: "those of this user alone" },
        load: async () => (await import("./commands/token.js")).listTokens,
      }),
      row({
        name: "revoke",
        args: "[id]",
        summary: "end a token at once, on every server; or all of a user's",
        uses: { ...OF_ALL_USERS, user: "all of this user, instead of one by its id", yes: true },
        load: async () => (await import("./commands/token.js")).revokeToken,
      }),
    ],
    load: async () => (await import("./commands/token.js")).token,
  }),
  row({
    name: "limit",
    args: "[command]",
    summary: "set, list and remove limits of single users",
    commands: [
      row({
        name: "set",
        summary: "limit one user, at once on every server; limits not named stay",
        options: {
          requestsPerMinute: ["--requests-per-minute <count>", "messages in a minute"],
          runsAtOnce: ["--runs-at-once <count>", "replies at once, in all sessions"],
          tokensPerDay: ["--tokens-per-day <count>", "tokens in a UTC day"],
          bytesKept: ["--bytes-kept <count>", "bytes of messages that are kept"],
        },
        uses: { ...OF_ALL_USERS, user: "whom it limits" },
        load: async () => (await import("./commands/limit.js")).setLimits,
      }),
      row({
        name: "list",
        summary: "list the users with limits of their own",
        uses: OF_ALL_USERS,
        load: async () => (await import("./commands/limit.js")).listLimits,
      }),
      row({
        name: "remove",
        summary: "give one user the limits of everybody again",
        uses: { ...OF_ALL_USERS, user: "who then has the limits of everybody" },
        load: async () => (await import("./commands/limit.js")).removeLimits,
      }),
    ],
    load: async () => (await import("./commands/limit.js")).limit,
  }),
  row({
    name: "store",
    args: "[command]",
    summary: "set up and check the place where conversations are kept",
    commands: [
      row({
        name: "init",
        args: "[url]",
        summary: "make the schema in PostgreSQL, and let roles use it",
        options: {
          grant: ["--grant <role...>", "roles that may use it and do nothing else"],
          printSql: ["--print-sql", "print the SQL for an administrator, and connect to nothing"],
        },
        uses: OF_ALL_USERS,
        load: async () => (await import("./commands/store/init.js")).init,
      }),
      row({
        name: "check",
        args: "[store]",
        summary: "say what keeps users apart in a store, and what weakens it",
        options: {
          conformance: [
            "--conformance",
            "also store and delete users there to test every rule; only in an empty store",
          ],
        },
        uses: OF_ALL_USERS,
        load: async () => (await import("./commands/store/check.js")).check,
      }),
      row({
        name: "migrate",
        args: "[store]",
        summary: "bring the schema of a store to the version of this agno-chat",
        uses: OF_ALL_USERS,
        load: async () => (await import("./commands/store/migrate.js")).migrate,
      }),
      row({
        name: "salvage",
        args: "<file>",
        summary: "copy who can be read of a damaged memory file to a new one",
        uses: { ...OF_ALL_USERS, store: "the damaged file, as sqlite:PATH (AGNO_CHAT_STORE)" },
        load: async () => (await import("./commands/store/salvage.js")).salvage,
      }),
      row({
        name: "copy",
        summary: "copy every user from one store to another; run it again after an interruption",
        options: {
          from: [
            "--from <store>",
            "sqlite:PATH or postgres://…; nobody should write to it meanwhile",
          ],
          to: ["--to <store>", "the other one; nothing in it is overwritten"],
          dryRun: ["--dry-run", "say what would be copied, and copy nothing"],
        },
        uses: { json: true },
        load: async () => (await import("./commands/store/copy.js")).copy,
      }),
    ],
    load: async () => (await import("./commands/store/store.js")).store,
  }),
  row({
    name: "models",
    summary: "list the models the server offers",
    uses: { model: true, baseUrl: true, apiKeyEnv: true, timeout: true, json: true },
    load: async () => (await import("./commands/models.js")).models,
  }),
  row({
    name: "config",
    args: "[action] [name] [value]",
    values: [["list", "get", "set", "unset", "path"], SETTING_NAMES],
    repairsSettings: true,
    summary: "choose and test a model interactively; or list, get, set, unset, path",
    uses: { json: true },
    also: SETTING_NAMES,
    load: async () => (await import("./commands/config.js")).config,
  }),
  row({
    name: "completion",
    args: "<shell>",
    values: [["bash", "zsh", "fish"] satisfies readonly Shell[]],
    summary: "print what completes commands, users and sessions in bash, zsh or fish",
    load: async () => (await import("./commands/completion.js")).completion,
  }),
];

/** Every command by how it is called, such as `store init`; those below one follow it. */
export const commandsByPath = (
  specs: readonly CommandSpec[] = COMMANDS,
  above = "",
): ReadonlyMap<string, CommandSpec> =>
  new Map(
    specs.flatMap((spec): [string, CommandSpec][] => {
      const path = `${above}${spec.name}`;
      return [[path, spec], ...commandsByPath(spec.commands ?? [], `${path} `)];
    }),
  );
