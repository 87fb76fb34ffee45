/** Every registered estimator keeps every contract. */
import { contractTools, testContracts } from "../helpers/contracts.ts";

const tools = await contractTools();
testContracts(tools.library.of("estimator").list(), tools);
