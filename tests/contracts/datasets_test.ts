/** Every registered dataset keeps every contract. */
import { contractTools, testContracts } from "../helpers/contracts.ts";

const tools = await contractTools();
testContracts(tools.library.of("dataset").list(), tools);
