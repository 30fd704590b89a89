/** A server the set-up offers. */
export interface OfferedServer {
  readonly name: string;
  /** Undefined is OpenAI's own. */
  readonly baseUrl: string | undefined;
  /** On this machine, and without a key unless it turns out to want one. */
  readonly isLocal: boolean;
}

const local = (name: string, port: number): OfferedServer => ({
  name,
  // An address and not a name, so that nothing but this machine is ever asked.
  baseUrl: `http://127.0.0.1:${port}/v1`,
  isLocal: true,
});

/** OpenAI, and the servers people run at home, on the ports these choose by themselves. */
export const OFFERED_SERVERS: readonly OfferedServer[] = [
  { name: "OpenAI", baseUrl: undefined, isLocal: false },
  local("Ollama", 11434),
  local("LM Studio", 1234),
  local("llama-server", 8080),
  local("vLLM", 8000),
];
