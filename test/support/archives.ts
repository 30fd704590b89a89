/** Conversations in the shape of the exports of ChatGPT and Claude, with made-up texts. */

interface Said {
  readonly role: string;
  readonly text?: string;
  readonly content?: unknown;
  readonly more?: object;
}

const BEGIN = 1_736_209_400;

/** A conversation of ChatGPT's `conversations.json`, with a branch that is not shown. */
export function chatGptConversation(
  id: string,
  title: string | null,
  said: readonly Said[],
  branch: readonly Said[] = [],
): object {
  const mapping: Record<string, object> = {
    root: { id: "root", message: null, parent: null, children: ["m0"] },
  };
  const nodeOf = (one: Said, node: string, parent: string, child?: string): void => {
    mapping[node] = {
      ...{ id: node, parent, children: child === undefined ? [] : [child] },
      message: {
        id: node,
        author: { role: one.role, name: null, metadata: {} },
        create_time: BEGIN + Object.keys(mapping).length,
        content: one.content ?? { content_type: "text", parts: [one.text ?? ""] },
        ...{ status: "finished_successfully", end_turn: true, weight: 1, recipient: "all" },
        metadata: one.role === "assistant" ? { model_slug: "gpt-4o" } : {},
        ...one.more,
      },
    };
  };
  for (const [index, one] of branch.entries())
    nodeOf(one, `b${index}`, index ? `b${index - 1}` : "root");
  for (const [index, one] of said.entries())
    nodeOf(one, `m${index}`, index ? `m${index - 1}` : "root", said[index + 1] && `m${index + 1}`);
  return {
    ...{ title, create_time: BEGIN, update_time: BEGIN + 99, mapping, moderation_results: [] },
    ...{ current_node: `m${said.length - 1}`, conversation_id: id, id, is_archived: false },
  };
}

/** A conversation of Claude's `conversations.json`. */
export const claudeConversation = (
  uuid: string,
  name: string,
  said: readonly { readonly sender: string; readonly text?: string; readonly more?: object }[],
): object => ({
  ...{ uuid, name, created_at: "2025-03-01T10:00:00.000000Z", account: { uuid: "a-b-c" } },
  updated_at: "2025-03-01T10:05:00.000000Z",
  chat_messages: said.map(({ sender, text = "", more }, index) => ({
    ...{ uuid: `${uuid}-${index}`, sender, text, attachments: [], files: [] },
    content: [{ type: "text", text }],
    created_at: `2025-03-01T10:00:0${index}.000000Z`,
    ...more,
  })),
});
