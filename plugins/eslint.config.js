import lwc from "@salesforce/eslint-config-lwc";

const TESTS = ["afterEach", "beforeEach", "describe", "expect", "it", "jest", "process"];

/** Salesforce's own rules for what runs in Lightning; its tests know jest's words too. */
export default [
    { ignores: ["**/node_modules/**", "build/**"] },
    ...lwc.configs.recommended.map((part) => ({ ...part, files: ["salesforce/**/lwc/**/*.js"] })),
    {
        files: ["salesforce/**/__tests__/**/*.js"],
        languageOptions: { globals: Object.fromEntries(TESTS.map((name) => [name, "readonly"])) },
    },
];
