/** The questions asked on a terminal, and no others: the bundle holds what is named here. Load it lazily. */
export { confirm, input, password, search, select } from "@inquirer/prompts";
