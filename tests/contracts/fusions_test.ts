/** Every registered fusion keeps every contract. Pairs with methods are tested from the methods' side. */
import { contractTools, testContracts } from "../helpers/contracts.ts";

const tools = await contractTools();
testContracts(tools.library.of("fusion").list(), tools, (_plugin, { crossing }) => crossing === true);
