/** A server offered by `config`. */
export interface OfferedServer {
  readonly name: string;
  /** Undefined for OpenAI. */
  readonly baseUrl: string | undefined;
  /** Runs on this machine, so no key is asked for at first. */
  readonly isLocal: boolean;
}

const local = (name: string, port: number): OfferedServer => ({
  name,
  // An address, not a name, so that only this machine is ever asked.
  baseUrl: `http://127.0.0.1:${port}/v1`,
  isLocal: true,
});

/** OpenAI, and common local servers on their default ports. */
export const OFFERED_SERVERS: readonly OfferedServer[] = [
  { name: "OpenAI", baseUrl: undefined, isLocal: false },
  local("Ollama", 11434),
  local("LM Studio", 1234),
  local("llama-server", 8080),
  local("vLLM", 8000),
];
