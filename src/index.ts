/**
 * One agent, many users, each with a history and a session state that nobody else can reach.
 * @module agno-chat
 */
export {
  Agent,
  type AgentOptions,
  type DetachedOptions,
  type RunOptions,
  type ViewOptions,
} from "./agent/agent.js";
export type { RunEvent, RunOutput } from "./agent/events.js";
export type { LeftOut, NextRequest } from "./agent/next-request.js";
export type { OnBusy } from "./agent/queue.js";
export type { RunStream } from "./agent/run-stream.js";
export type { UserRunOptions } from "./agent/runner.js";
export type { ModelCallTrace, RunTrace, ToolCallTrace } from "./agent/tracing.js";
export type { UserView } from "./agent/user-view.js";
export type { NewAttachment } from "./attachments.js";
export type { ExportFormat, ExportOptions } from "./data/export-options.js";
export type { ImportFormat } from "./data/import/formats.js";
export { importHistory } from "./data/import/import-history.js";
export type { Imported, ImportOptions } from "./data/import/import-options.js";
export { UserExport } from "./data/user-export.js";
export {
  AgnoChatError,
  type AgnoChatErrorOptions,
  ERROR_TABLE,
  type ErrorCode,
  type HintId,
} from "./errors.js";
export {
  DEFAULT_SESSION_ID,
  DEFAULT_USER_ID,
  type SessionId,
  type UserId,
  validateSessionId,
  validateUserId,
} from "./ids.js";
export { type ClearCheck, ClearLog, type SavedClears } from "./memory/clear-log.js";
export { InMemory, type InMemoryOptions } from "./memory/in-memory.js";
export { LIMIT_NAMES, type LimitWaits, refuseOver, type UsedLimits } from "./memory/limits.js";
export type {
  AddOptions,
  Admission,
  Attachments,
  Awaitable,
  Claim,
  ClearBeforeOptions,
  Counts,
  Deleted,
  DeletedUsers,
  Edits,
  Forked,
  ForkOptions,
  GetMessagesOptions,
  JsonValue,
  Lease,
  Leased,
  Leases,
  LimitName,
  Limits,
  LimitUse,
  Memory,
  NewToken,
  ReadOptions,
  RemoveInactiveOptions,
  SearchHit,
  SearchOptions,
  SearchResult,
  SessionInfo,
  SessionOptions,
  SessionState,
  SessionsOptions,
  SessionWithState,
  Snapshot,
  Spent,
  StatePatch,
  TokenInfo,
  TokenOptions,
  Tokens,
  Undone,
  UndoOptions,
  UserInfo,
  UserLimits,
  UsersOptions,
  UserWithLimits,
} from "./memory/memory.js";
export { type OpenMemoryOptions, openMemory } from "./memory/open-memory.js";
export { PostgresMemory } from "./memory/postgres.js";
export { type Fit, Query } from "./memory/search/query.js";
export { SqliteMemory, type SqliteMemoryOptions } from "./memory/sqlite.js";
export { CHANGES_KEPT } from "./memory/state.js";
export type {
  Answer,
  Commit,
  CommitOutcome,
  CountsRow,
  EditedSession,
  ForkOutcome,
  NewRow,
  OldRuns,
  Page,
  SessionRow,
  SessionRowWithState,
  Store,
  StoreAttachments,
  StoreEdits,
  StoreLeases,
  StoreLimits,
  StoreTokens,
  Sweep,
  TokenRow,
  UndoOutcome,
  UserCount,
  UserRow,
  Wanted,
} from "./memory/store.js";
export { StoreMemory, type StoreMemoryOptions } from "./memory/store-memory.js";
export {
  type AssistantMessage,
  type Attachment,
  type AttachmentType,
  assistantMessage,
  type Contents,
  type FinishReason,
  type Message,
  type NewMessage,
  type StoredFields,
  type StoredMessage,
  type SystemMessage,
  systemMessage,
  type ToolCall,
  type ToolMessage,
  toolMessage,
  type Usage,
  type UserMessage,
  userMessage,
} from "./messages.js";
export { DemoModel, type DemoModelOptions } from "./models/demo.js";
export type {
  JsonSchema,
  Model,
  ModelEvent,
  ModelRequest,
  ToolSpec,
} from "./models/model.js";
export { type OpenModelOptions, openModel } from "./models/open-model.js";
export {
  type ListModelsOptions,
  listModels,
  OpenAIModel,
  type OpenAIModelOptions,
} from "./models/openai.js";
export { defineTool, type ToolDefinition } from "./tools/define-tool.js";
export { openToolkits, TOOLKIT_NAMES } from "./tools/open-toolkits.js";
export type { StateUpdater, Tool, ToolContext, Toolkit } from "./tools/tool.js";
