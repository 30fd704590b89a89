// Your own store: a folder with one JSON file per user, for one process. See docs/write-a-store.md.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { AgnoChatError, ClearLog } from "agno-chat";

/** @implements {import("agno-chat").Store<false>} */
export class FileStore {
  atOnce = false;
  #folder;
  #clears;
  #last = Promise.resolve();

  constructor(folder) {
    this.#folder = folder;
  }

  read(userId, { sessionId, limit }) {
    return this.#withUser(userId, (user) => {
      const session = sessionIn(user, sessionId);
      const state = Object.create(null);
      for (const [key, json] of session.state) state[key] = JSON.parse(json);
      const turns = turnsIn(session);
      const older = new Set(turns.slice(0, Math.max(0, turns.length - limit)));
      const messages = session.messages.filter((each) => !older.has(each));
      return { messages, state, total: session.total, generation: this.#clears.generation };
    });
  }

  write(commit) {
    const { userId, sessionId, messages, replaceRun, generation, time } = commit;
    return this.#withUser(userId, async (user) => {
      const session = sessionIn(user, sessionId);
      if (commit.total !== undefined && commit.total !== session.total) return "RUN_CONFLICT";
      if (this.#clears.wasCleared({ userId, sessionId, created: session.created, generation }))
        return "HISTORY_CLEARED";
      const state = new Map(session.state);
      if (commit.expected.some(([key, json]) => state.get(key) !== json)) return "STATE_CONFLICT";
      const turns = turnsIn(session);
      if (replaceRun !== undefined && turns.at(-1)?.runId !== replaceRun) return "RUN_CONFLICT";
      if (messages.length === 0 && commit.state.length === 0) return [];

      for (const [key, json] of commit.state) state.set(key, json);
      const stored = messages.map((row, index) => ({
        ...row,
        id: user.nextId + index,
        runId: row.runId ?? session.latestRunId ?? commit.newRunId,
      }));
      const replaced = turns.slice(turns.findLastIndex(({ runId }) => runId !== replaceRun) + 1);
      const kept = session.messages.filter((each) => !replaced.includes(each));
      const changed = {
        sessionId,
        created: session.created ?? this.#clears.generation,
        total: session.total - replaced.length + stored.length,
        latestRunId: stored.at(-1)?.runId ?? session.latestRunId,
        lastActivity: Math.max(session.lastActivity ?? time, time),
        messages: [...kept, ...stored],
        state: [...state].filter(([, json]) => json !== undefined),
      };
      await this.#save({
        userId,
        nextId: user.nextId + stored.length,
        lastActivity: Math.max(user.lastActivity ?? time, time),
        sessions: [...user.sessions.filter((each) => each !== session), changed],
      });
      return stored;
    });
  }

  page(userId, { sessionId, limit, before, after }) {
    return this.#withUser(userId, (user) => {
      const messages = messagesIn(sessionsIn(user, sessionId))
        .filter(({ id }) => id < before && id > (after ?? 0))
        .sort((left, right) => left.id - right.id);
      const start = after === undefined ? Math.max(0, messages.length - limit) : 0;
      return messages.slice(start, start + limit);
    });
  }

  size(userId, { sessionId }) {
    return this.#withUser(userId, (user) => sizeOf(sessionsIn(user, sessionId)).messages);
  }

  sessions(userId) {
    return this.#withUser(userId, ({ sessions }) =>
      sessions.sort(byActivity).map(({ sessionId, messages, lastActivity }) => ({
        sessionId,
        messages: messages.length,
        runs: messages.filter(({ role }) => role === "user").length,
        bytes: messages.reduce((sum, each) => sum + Buffer.byteLength(JSON.stringify(each)), 0),
        lastActivity,
      })),
    );
  }

  async users() {
    const users = await this.#inTurn(() => this.#loadAll());
    return users
      .sort(byActivity)
      .map(({ userId, lastActivity, sessions }) => ({ userId, lastActivity, ...sizeOf(sessions) }));
  }

  async countUsers({ idleSince }) {
    const users = await this.users();
    const idle = users.filter(({ lastActivity }) => lastActivity < idleSince);
    return { users: users.length, idle: idle.length };
  }

  delete(userId, { sessionId, time, idleSince = Infinity }) {
    return this.#withUser(userId, async (user) => {
      const leaving = user.lastActivity < idleSince ? sessionsIn(user, sessionId) : [];
      if (leaving.length === 0) return sizeOf(leaving);
      // Recorded before the deletion, so that a crash in between cannot lose the record.
      this.#clears.record(userId, { sessionId, time });
      await this.#writeJson("clears.json", this.#clears);
      const sessions = user.sessions.filter((each) => !leaving.includes(each));
      await this.#save({ ...user, sessions });
      return sizeOf(leaving);
    });
  }

  async deleteIdle({ idleSince, except, time }) {
    const deleted = [];
    for (const { userId } of await this.users())
      if (!except.has(userId)) deleted.push(await this.delete(userId, { time, idleSince }));
    const sum = (key) => deleted.reduce((total, each) => total + each[key], 0);
    const users = deleted.filter(({ sessions }) => sessions > 0).length;
    return { users, sessions: sum("sessions"), messages: sum("messages") };
  }

  deleteAll() {
    return this.#inTurn(async () => {
      const users = await this.#loadAll();
      if (users.length > 0) this.#clears.recordAll();
      await this.#writeJson("clears.json", this.#clears);
      for (const user of users) await this.#save({ ...user, sessions: [] });
      return { users: users.length, ...sizeOf(users.flatMap(({ sessions }) => sessions)) };
    });
  }

  async close() {
    await this.#last;
  }

  /** Runs calls one after the other, so that each sees complete files. */
  #inTurn(work) {
    const done = this.#last.then(async () => {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      this.#clears ??= new ClearLog(await this.#readJson("clears.json"));
      return work();
    });
    this.#last = done.catch(() => {});
    return done.catch((cause) => {
      const message = `Cannot use the folder ${JSON.stringify(this.#folder)}.`;
      throw new AgnoChatError("STORE_FAILED", message, { cause });
    });
  }

  #withUser(userId, work) {
    const newUser = { userId, nextId: 1, sessions: [] };
    return this.#inTurn(async () => work((await this.#readJson(fileOf(userId))) ?? newUser));
  }

  async #loadAll() {
    const files = (await readdir(this.#folder)).filter((name) => /^user-\w+\.json$/.test(name));
    return Promise.all(files.map((file) => this.#readJson(file)));
  }

  /** Drops sessions without messages and state, and users without sessions. */
  async #save(user) {
    const sessions = user.sessions.filter((each) => each.messages.length + each.state.length > 0);
    if (sessions.length > 0) await this.#writeJson(fileOf(user.userId), { ...user, sessions });
    else await rm(path.join(this.#folder, fileOf(user.userId)), { force: true });
  }

  async #readJson(name) {
    const file = path.join(this.#folder, name);
    return existsSync(file) ? JSON.parse(await readFile(file, "utf8")) : undefined;
  }

  /** Written beside and renamed, so that a crash leaves either the old file or the new one. */
  async #writeJson(name, value) {
    const file = path.join(this.#folder, name);
    await writeFile(`${file}.new`, JSON.stringify(value), { mode: 0o600, flush: true });
    await rename(`${file}.new`, file);
  }
}

/** Hashed, since an id may contain any character or differ from another only in case. */
const fileOf = (userId) => `user-${createHash("sha256").update(userId).digest("hex")}.json`;

const NO_SESSION = { total: 0, messages: [], state: [] };
const sessionsIn = (user, sessionId) =>
  user.sessions.filter((each) => sessionId === undefined || each.sessionId === sessionId);
const sessionIn = (user, sessionId) => sessionsIn(user, sessionId)[0] ?? NO_SESSION;
const messagesIn = (sessions) => sessions.flatMap(({ messages }) => messages);
const turnsIn = ({ messages }) => messages.filter(({ role }) => role !== "system");
const sizeOf = (sessions) => ({ sessions: sessions.length, messages: messagesIn(sessions).length });
const byActivity = (left, right) => right.lastActivity - left.lastActivity;
