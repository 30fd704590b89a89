/** Only the prompts in use, so that the bundle holds no others. Import this file lazily. */
export { confirm, input, password, search, select } from "@inquirer/prompts";
