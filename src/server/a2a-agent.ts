import { randomUUID } from "node:crypto";
import type {
  AgentCard,
  ListTasksRequest,
  ListTasksResponse,
  Message,
  Part,
  SendMessageRequest,
  StreamResponse,
  TaskState,
} from "@a2a-js/sdk";
import type { Agent, RunOptions } from "../agent/agent.js";
import type { RunOutput } from "../agent/events.js";
import { ERROR_TABLE } from "../errors.js";
import { type SessionId, type UserId, validateSessionId, validateUserId } from "../ids.js";
import type { A2aRequestHandler, A2aSdk } from "./a2a-sdk.js";
import { failureOf } from "./failure-answer.js";
import type { RequestContext } from "./request-context.js";

export interface A2aAgentParts {
  readonly agent: Agent;
  readonly card: AgentCard;
  readonly sdk: A2aSdk;
}

interface ChatInput {
  readonly contextId: string;
  readonly input: string;
  readonly options: CheckedOptions;
}

interface CheckedOptions extends RunOptions {
  readonly userId: UserId;
  readonly sessionId: SessionId | undefined;
}

/**
 * Handles one request of the SDK, for the user who made it. Sending is answered with a message.
 * Streaming is answered with a task that lives as long as its stream: no task is kept, so no method
 * can show one to another user.
 */
export class A2aAgent implements A2aRequestHandler {
  readonly #agent: Agent;
  readonly #card: AgentCard;
  readonly #sdk: A2aSdk;
  readonly #context: RequestContext;

  constructor(context: RequestContext, { agent, card, sdk }: A2aAgentParts) {
    this.#context = context;
    this.#agent = agent;
    this.#card = card;
    this.#sdk = sdk;
  }

  async getAgentCard(): Promise<AgentCard> {
    return this.#card;
  }

  async sendMessage(request: SendMessageRequest): Promise<Message> {
    try {
      const { contextId, input, options } = this.#inputOf(request);
      const output = await this.#agent.run(input, options);
      this.#context.runId = output.runId;
      return { ...this.#messageOf(contextId, output.content), metadata: metadataOf(output) };
    } catch (thrown) {
      throw this.#errorOf(thrown);
    }
  }

  async *sendMessageStream(
    request: SendMessageRequest,
  ): AsyncGenerator<StreamResponse, void, undefined> {
    let task: StreamedTask | undefined;
    try {
      const { contextId, input, options } = this.#inputOf(request);
      for await (const event of this.#agent.stream(input, options)) {
        if (event.type === "run-start") {
          this.#context.runId = event.runId;
          task = new StreamedTask(contextId);
          yield task.begin(this.#sdk.TaskState.TASK_STATE_WORKING);
        }
        if (event.type === "text-delta" && task) yield task.text(event.text);
        // The text after a tool call is a new artifact.
        if (event.type === "tool-result") task?.nextArtifact();
        if (event.type === "run-end" && task)
          yield task.end(this.#sdk.TaskState.TASK_STATE_COMPLETED, {
            metadata: metadataOf(event.output),
          });
      }
    } catch (thrown) {
      const error = this.#errorOf(thrown);
      if (task === undefined) throw error;
      const message = this.#messageOf(task.contextId, error.message);
      yield task.end(this.#sdk.TaskState.TASK_STATE_FAILED, { message });
    }
  }

  async listTasks({ pageSize = 50 }: ListTasksRequest): Promise<ListTasksResponse> {
    return { tasks: [], nextPageToken: "", pageSize, totalSize: 0 };
  }

  async getTask(): Promise<never> {
    throw new this.#sdk.TaskNotFoundError();
  }

  async cancelTask(): Promise<never> {
    throw new this.#sdk.TaskNotFoundError();
  }

  // biome-ignore lint/correctness/useYield: there is never a task to subscribe to
  async *resubscribe(): AsyncGenerator<StreamResponse, void, undefined> {
    throw new this.#sdk.TaskNotFoundError();
  }

  async getAuthenticatedExtendedAgentCard(): Promise<never> {
    throw new this.#sdk.UnsupportedOperationError();
  }

  async createTaskPushNotificationConfig(): Promise<never> {
    throw new this.#sdk.PushNotificationNotSupportedError();
  }

  async getTaskPushNotificationConfig(): Promise<never> {
    throw new this.#sdk.PushNotificationNotSupportedError();
  }

  async listTaskPushNotificationConfigs(): Promise<never> {
    throw new this.#sdk.PushNotificationNotSupportedError();
  }

  async deleteTaskPushNotificationConfig(): Promise<never> {
    throw new this.#sdk.PushNotificationNotSupportedError();
  }

  /**
   * `contextId` is the user of an anonymous caller, and a session of an authenticated one. Without
   * one, it is a new random id.
   */
  #inputOf({ message }: SendMessageRequest): ChatInput {
    const { caller, cancellation: signal } = this.#context;
    const contextId = message?.contextId || randomUUID();
    const userId = caller ?? validateUserId(contextId);
    const sessionId = caller === undefined ? undefined : validateSessionId(contextId);
    this.#context.userId = userId;
    const texts = (message?.parts ?? []).map(textOf);
    return { contextId, input: texts.join("\n"), options: { userId, sessionId, signal } };
  }

  #messageOf(contextId: string, text: string): Message {
    return {
      messageId: randomUUID(),
      contextId,
      taskId: "",
      role: this.#sdk.Role.ROLE_AGENT,
      parts: [textPart(text)],
      metadata: undefined,
      extensions: [],
      referenceTaskIds: [],
    };
  }

  #errorOf(thrown: unknown): Error {
    const { code, message, rpc } = failureOf(thrown);
    this.#context.failure = code;
    if (rpc === ERROR_TABLE.INVALID_INPUT.rpc) return new this.#sdk.RequestMalformedError(message);
    return new Error(message);
  }
}

interface Ending {
  readonly message?: Message;
  readonly metadata?: Metadata | undefined;
}

type Metadata = Readonly<Record<string, string>>;

/** Tells the client that the text was cut. */
const metadataOf = ({ finishReason }: RunOutput): Metadata | undefined =>
  finishReason === "length" ? { finishReason } : undefined;

/** The events of a task whose result is a streamed text. */
class StreamedTask {
  readonly contextId: string;
  readonly #taskId = randomUUID();
  #artifactId = randomUUID();
  #append = false;

  constructor(contextId: string) {
    this.contextId = contextId;
  }

  begin(state: TaskState): StreamResponse {
    const { contextId } = this;
    const status = statusOf(state);
    const none = { artifacts: [], history: [], metadata: undefined };
    return { payload: { $case: "task", value: { id: this.#taskId, contextId, status, ...none } } };
  }

  text(text: string): StreamResponse {
    const append = this.#append;
    this.#append = true;
    const artifact = {
      artifactId: this.#artifactId,
      name: "reply",
      description: "",
      parts: [textPart(text)],
      metadata: undefined,
      extensions: [],
    };
    return {
      payload: {
        $case: "artifactUpdate",
        value: { ...this.#ids(), artifact, append, lastChunk: false, metadata: undefined },
      },
    };
  }

  nextArtifact(): void {
    this.#artifactId = randomUUID();
    this.#append = false;
  }

  end(state: TaskState, { message, metadata }: Ending): StreamResponse {
    const status = statusOf(state, message);
    return { payload: { $case: "statusUpdate", value: { ...this.#ids(), status, metadata } } };
  }

  #ids() {
    return { taskId: this.#taskId, contextId: this.contextId };
  }
}

const statusOf = (state: TaskState, message?: Message) => ({
  state,
  message,
  timestamp: new Date().toISOString(),
});

const textOf = ({ content }: Part): string => (content?.$case === "text" ? content.value : "");

const textPart = (value: string): Part => ({
  content: { $case: "text", value },
  metadata: undefined,
  filename: "",
  mediaType: "text/plain",
});
