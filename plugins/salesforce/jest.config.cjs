const { jestConfig } = require("@salesforce/sfdx-lwc-jest/config");

module.exports = { ...jestConfig, testMatch: ["**/lwc/**/__tests__/**/*.test.js"] };
