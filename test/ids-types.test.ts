import { describe, expectTypeOf, it } from "vitest";
import type { RunRequest } from "../src/agent/run.js";
import type { UserView } from "../src/agent/user-view.js";
import type { Aside } from "../src/cli/chat/chat-input.js";
import type { Repl } from "../src/cli/chat/repl.js";
import type { Speaker } from "../src/cli/chat/screen.js";
import type { namedSession } from "../src/cli/settings/settings.js";
import type { Parsed, SettingValues } from "../src/cli/settings/settings-table.js";
import type { InputStore } from "../src/cli/terminal/input-history.js";
import type { SentMessage } from "../src/cli/terminal/line-editor.js";
import type { SessionId, UserId } from "../src/ids.js";
import type {
  optionalSessionIdOf,
  sessionIdOf,
  userIdOf,
  userIdsOf,
} from "../src/memory/arguments.js";
import type { ClearCheck } from "../src/memory/clear-log.js";
import type { UserCopy } from "../src/memory/copy-store.js";
import type { Memory } from "../src/memory/memory.js";
import type { Commit, InSession, NewRow, Store, Sweep, Window } from "../src/memory/store.js";
import type { admit } from "../src/server/access.js";
import type { RequestContext } from "../src/server/request-context.js";
import type { resolveUser, sessionOf } from "../src/server/resolve-user.js";
import type { ToolContext } from "../src/tools/tool.js";
import type { Whose } from "../src/verify/finding.js";
import type { userIds } from "../src/verify/users.js";

/** What checks an id returns a `UserId` or `SessionId`; what touches rows takes nothing else. */
describe("an id that nobody has checked does not compile", () => {
  it("as the user or the session of a store", () => {
    type UserArgument<Method extends "read" | "page" | "size" | "sessions" | "delete"> = Parameters<
      Store[Method]
    >[0];
    expectTypeOf<
      UserArgument<"read" | "page" | "size" | "sessions" | "delete">
    >().toEqualTypeOf<UserId>();
    expectTypeOf<(Commit | ClearCheck | UserCopy)["userId"]>().toEqualTypeOf<UserId>();
    expectTypeOf<(Commit | ClearCheck | Window | NewRow)["sessionId"]>().toEqualTypeOf<SessionId>();
    expectTypeOf<InSession["sessionId"]>().toEqualTypeOf<SessionId | undefined>();
    expectTypeOf<Sweep["except"]>().toEqualTypeOf<ReadonlySet<UserId>>();
  });

  it("behind a memory, which takes plain strings and checks them", () => {
    expectTypeOf<Parameters<Memory["clear"]>[0]>().toEqualTypeOf<string | undefined>();
    expectTypeOf<ReturnType<typeof userIdOf>>().toEqualTypeOf<UserId>();
    expectTypeOf<ReturnType<typeof userIdsOf>>().toEqualTypeOf<ReadonlySet<UserId>>();
    expectTypeOf<ReturnType<typeof sessionIdOf>>().toEqualTypeOf<SessionId>();
    expectTypeOf<ReturnType<typeof optionalSessionIdOf>>().toEqualTypeOf<SessionId | undefined>();
  });

  it("as the setting of a user, or as who speaks and types in the chat", () => {
    expectTypeOf<Parsed["user"]>().toEqualTypeOf<UserId>();
    expectTypeOf<Parsed["session"]>().toEqualTypeOf<SessionId>();
    expectTypeOf<(SettingValues | Parsed)["user"]>().toEqualTypeOf<UserId>();
    expectTypeOf<ReturnType<typeof namedSession>>().toEqualTypeOf<SessionId | undefined>();
    expectTypeOf<Speaker>().toEqualTypeOf<Readonly<{ userId: UserId; sessionId: SessionId }>>();
    expectTypeOf<(Aside | Speaker)["userId"]>().toEqualTypeOf<UserId>();
    expectTypeOf<Parameters<Repl["switchUser"]>>().toEqualTypeOf<[userId: string]>();
    expectTypeOf<Parameters<Repl["speakerOf"]>>().toEqualTypeOf<[userId: UserId]>();
    expectTypeOf<Parameters<InputStore["read"]>>().toEqualTypeOf<[userId: UserId]>();
    expectTypeOf<SentMessage["owner"]>().toEqualTypeOf<UserId>();
  });

  it("as the caller of a server, or as the user and the session that a request names", () => {
    expectTypeOf<Awaited<ReturnType<typeof admit>>>().toEqualTypeOf<UserId | undefined>();
    expectTypeOf<RequestContext["caller"]>().toEqualTypeOf<UserId | undefined>();
    expectTypeOf<RequestContext["userId"]>().toEqualTypeOf<UserId | undefined>();
    expectTypeOf<ReturnType<typeof resolveUser>>().toEqualTypeOf<UserId>();
    expectTypeOf<ReturnType<typeof sessionOf>>().toEqualTypeOf<SessionId | undefined>();
  });

  it("as that of a run", () => {
    expectTypeOf<RunRequest["userId"]>().toEqualTypeOf<UserId>();
    expectTypeOf<RunRequest["sessionId"]>().toEqualTypeOf<SessionId>();
    expectTypeOf<UserView["userId"]>().toEqualTypeOf<UserId>();
  });

  it("as that of a tool's caller, or of somebody whom verify plays", () => {
    expectTypeOf<Pick<ToolContext, "userId" | "sessionId">>().toEqualTypeOf<Speaker>();
    expectTypeOf<Whose>().toEqualTypeOf<Speaker>();
    expectTypeOf<ReturnType<typeof userIds>>().toEqualTypeOf<UserId[]>();
  });

  it("because no string is a user id, and no user id is a session id", () => {
    expectTypeOf<string>().not.toExtend<UserId>();
    expectTypeOf<UserId>().not.toExtend<SessionId>();
    expectTypeOf<UserId>().toExtend<string>();
  });
});

it("a store of somebody else may take any string, and returns plain strings", () => {
  class OwnStore implements Pick<Store<false>, "size" | "users" | "deleteIdle"> {
    async size(userId: string, { sessionId }: { sessionId: string | undefined }) {
      return userId.length + (sessionId?.length ?? 0);
    }
    async users() {
      return [{ userId: "alice", sessions: 1, messages: 1, lastActivity: 0 }];
    }
    async deleteIdle({ except }: { idleSince: number; except: ReadonlySet<string> }) {
      return { users: except.has("alice") ? 0 : 1, sessions: 0, messages: 0 };
    }
  }
  expectTypeOf<OwnStore>().toExtend<Pick<Store<false>, "size" | "users" | "deleteIdle">>();
});
