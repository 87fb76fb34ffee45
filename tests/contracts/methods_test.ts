/**
 * Every registered method keeps every contract.
 *
 * Presets of one method share its code: the two contracts that go through all fusions and all choices run for the first of
 * those with the same options.
 */
import { contractTools, testContracts } from "../helpers/contracts.ts";

const tools = await contractTools();
const methods = tools.library.of("method").list();
const optionsOf = (plugin: { options: object }) => Object.keys(plugin.options).join();
const first = methods.filter((plugin, index) =>
  optionsOf(plugin) === "" || methods.findIndex((other) => optionsOf(other) === optionsOf(plugin)) === index
);
testContracts(
  methods,
  tools,
  (plugin, { crossing, claim }) =>
    (crossing === true || claim.includes("choices")) && !first.some((other) => other === plugin),
);
