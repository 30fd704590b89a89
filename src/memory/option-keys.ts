import type { KnownKeys } from "../options.js";
import type {
  AddOptions,
  ClearBeforeOptions,
  ForkOptions,
  GetMessagesOptions,
  ReadOptions,
  RemoveInactiveOptions,
  SearchOptions,
  SessionOptions,
  SessionsOptions,
  UndoOptions,
  UsersOptions,
} from "./memory.js";

export const SESSION_KEYS: KnownKeys<SessionOptions> = { sessionId: true };

export const SESSIONS_KEYS: KnownKeys<SessionsOptions> = { limit: true };

export const USERS_KEYS: KnownKeys<UsersOptions> = { limit: true };

export const READ_KEYS: KnownKeys<ReadOptions> = { sessionId: true, limit: true };

export const ADD_KEYS: KnownKeys<AddOptions> = {
  sessionId: true,
  state: true,
  expected: true,
  replaceRun: true,
  generation: true,
  total: true,
  lease: true,
  spent: true,
  contents: true,
};

export const PAGE_KEYS: KnownKeys<GetMessagesOptions> = {
  sessionId: true,
  limit: true,
  maxCharacters: true,
  before: true,
  after: true,
};

export const CLEAR_BEFORE_KEYS: KnownKeys<ClearBeforeOptions> = {
  sessionId: true,
  before: true,
  dryRun: true,
};

export const UNDO_KEYS: KnownKeys<UndoOptions> = { sessionId: true, runs: true };

export const FORK_KEYS: KnownKeys<ForkOptions> = { sessionId: true, to: true };

export const SEARCH_KEYS: KnownKeys<SearchOptions> = {
  sessionId: true,
  since: true,
  limit: true,
  signal: true,
  onIndexing: true,
};

export const REMOVE_INACTIVE_KEYS: KnownKeys<RemoveInactiveOptions> = {
  except: true,
  force: true,
};
