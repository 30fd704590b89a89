import { exportUser, type UserExport } from "../memory/export.js";
import type {
  Awaitable,
  Deleted,
  GetMessagesOptions,
  Memory,
  SessionInfo,
  SessionOptions,
  SessionState,
} from "../memory/memory.js";
import type { StoredMessage } from "../messages.js";
import type { ModelRequest } from "../models/model.js";
import type { Agent, RunOptions } from "./agent.js";
import type { RunOutput } from "./events.js";
import type { RunStream } from "./run-stream.js";

/** Run options of a user who is already named. */
export type UserRunOptions = Omit<RunOptions, "userId">;

/** An agent and its memory as one user sees them: everything here is that user's, and nothing else can be reached. */
export class UserView {
  readonly userId: string;
  readonly #agent: Agent;
  readonly #memory: Memory;

  /** @internal Made by `agent.forUser`. */
  constructor(agent: Agent, memory: Memory, userId: string) {
    this.#agent = agent;
    this.#memory = memory;
    this.userId = userId;
  }

  /** As `agent.run`. */
  run(input: string, options: UserRunOptions = {}): Promise<RunOutput> {
    return this.#agent.run(input, { ...options, userId: this.userId });
  }

  /** As `agent.stream`. */
  stream(input: string, options: UserRunOptions = {}): RunStream {
    return this.#agent.stream(input, { ...options, userId: this.userId });
  }

  /** As `agent.context`. */
  context(options: SessionOptions = {}): Promise<ModelRequest> {
    return this.#agent.context({ ...options, userId: this.userId });
  }

  /** As `memory.getMessages`: oldest first, all sessions unless one is named. */
  history(options?: GetMessagesOptions): Awaitable<StoredMessage[]> {
    return this.#memory.getMessages(this.userId, options);
  }

  /** As `memory.size`. */
  size(options?: SessionOptions): Awaitable<number> {
    return this.#memory.size(this.userId, options);
  }

  /** As `memory.sessions`. */
  sessions(): Awaitable<SessionInfo[]> {
    return this.#memory.sessions(this.userId);
  }

  /** As `memory.getState`. */
  state(options?: SessionOptions): Awaitable<SessionState> {
    return this.#memory.getState(this.userId, options);
  }

  /** Everything kept of this user, all sessions unless one is named. */
  export(options?: SessionOptions): Promise<UserExport> {
    return exportUser(this.#memory, this.userId, options);
  }

  /** As `memory.clear`. A run under way ends with `HISTORY_CLEARED` and stores nothing. */
  clear(options?: SessionOptions): Awaitable<Deleted> {
    return this.#memory.clear(this.userId, options);
  }
}
