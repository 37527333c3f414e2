/** What Salesforce's own deployer makes of the project, and whether its Apex can be read; no org is asked. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ApexErrorListener, ApexParserFactory } from "@apexdevtools/apex-parser";
import { ComponentSet, MetadataConverter } from "@salesforce/source-deploy-retrieve";

const PROJECT = fileURLToPath(new URL("../salesforce", import.meta.url));
const FOLDERS = [join(PROJECT, "panel"), join(PROJECT, "canvas")];
const HOST = "https://panel.acme.example";
const INSTALLATION = "0a".repeat(16) + "." + "0b".repeat(16);
const built = mkdtempSync(join(tmpdir(), "firsthand-salesforce-"));

const files = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
const read = (...path) => readFileSync(join(built, ...path), "utf8");

async function convert(environment, folders = FOLDERS, outputDirectory = built) {
    Object.assign(process.env, environment, { SF_APPLY_REPLACEMENTS_ON_CONVERT: "true" });
    const components = ComponentSet.fromSource(folders);
    components.projectDirectory = PROJECT;
    const target = { type: "directory", outputDirectory, genUniqueDir: false };
    await new MetadataConverter().convert(components, "metadata", target);
}

before(() => convert({ FIRSTHAND_URL: HOST, FIRSTHAND_INSTALLATION: INSTALLATION }));
after(() => rmSync(built, { recursive: true }));

test("every file of the project is of a kind that Salesforce knows", () => {
    const found = [...ComponentSet.fromSource(FOLDERS).getSourceComponents()];
    const known = new Set(found.flatMap((one) => [one.xml, ...one.walkContent()]));
    const ours = FOLDERS.flatMap((folder) => files(folder).map((one) => join(one.parentPath ?? one.path, one.name)));
    assert.deepEqual(ours.filter((path) => !known.has(path) && !path.includes("__tests__")), []);
    assert.deepEqual(found.map((one) => `${one.type.name} ${one.fullName}`).sort(), [
        "ApexClass FirsthandPanelController",
        "ApexClass FirsthandPanelControllerTest",
        "AuraDefinitionBundle firsthandCanvas",
        "CspTrustedSite Firsthand",
        "ExternalClientApplication Firsthand",
        "ExternalCredential Firsthand",
        "ExtlClntAppCanvasSettings Firsthand_Canvas",
        "ExtlClntAppGlobalOauthSettings Firsthand_Global_OAuth",
        "ExtlClntAppOauthSettings Firsthand_OAuth",
        "LightningComponentBundle firsthandPanel",
        "NamedCredential Firsthand",
        "PermissionSet Firsthand_Panel",
    ]);
});

test("a deployment names the host and the installation of its environment", () => {
    const address = `${HOST}/panel/embed/salesforce/${INSTALLATION}`;
    const canvas = read("extlClntAppCanvasSettings", "Firsthand_Canvas.ecaCanvas");
    assert.ok(canvas.includes(`<canvasUrl>${address}</canvasUrl>`));
    const credential = read("namedCredentials", "Firsthand.namedCredential");
    assert.ok(credential.includes(`<parameterValue>${HOST}</parameterValue>`));
    const trusted = read("cspTrustedSites", "Firsthand.cspTrustedSite");
    assert.ok(trusted.includes(`<endpointUrl>${HOST}</endpointUrl>`));
});

test("what is deployed holds no placeholder, save in the Apex test's example", () => {
    const left = files(built).filter((one) => {
        const text = readFileSync(join(one.parentPath ?? one.path, one.name), "utf8");
        return /firsthand\.example\.com|TENANT\.INSTALLATION/.test(text);
    });
    assert.deepEqual(left.map((one) => one.name), ["FirsthandPanelControllerTest.cls"]);
});

test("the panel alone needs no installation, and nothing is deployed while the environment names no host", async () => {
    const alone = join(built, "alone");
    delete process.env.FIRSTHAND_INSTALLATION;
    await convert({}, FOLDERS.slice(0, 1), alone);
    await assert.rejects(convert({}, FOLDERS, alone), /FIRSTHAND_INSTALLATION.*not set in your environment/);
    delete process.env.FIRSTHAND_URL;
    await assert.rejects(convert({}, FOLDERS.slice(0, 1), alone), /FIRSTHAND_URL.*not set in your environment/);
});

class Faults extends ApexErrorListener {
    found = [];
    apexSyntaxError(line, column, message) {
        this.found.push(`${line}:${column} ${message}`);
    }
}

function faultsOf(source) {
    const faults = new Faults();
    const parser = ApexParserFactory.createParser(source);
    parser.removeErrorListeners();
    parser.addErrorListener(faults);
    parser.compilationUnit();
    return faults.found;
}

test("the Apex classes are Apex", () => {
    const classes = files(FOLDERS[0]).filter((one) => one.name.endsWith(".cls"));
    assert.equal(classes.length, 2);
    for (const one of classes) {
        const source = readFileSync(join(one.parentPath ?? one.path, one.name), "utf8");
        assert.deepEqual(faultsOf(source), []);
        assert.match(source, new RegExp(`class ${basename(one.name, ".cls")} \\{`));
    }
    assert.notDeepEqual(faultsOf("public class Broken { void say( { } }"), []);
});
