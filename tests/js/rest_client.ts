// What a TypeScript program does with the endpoints: draft, edit, publish, compare, restore.
// Its types are generated from the OpenAPI description; it runs on a real server.
import createClient from "openapi-fetch";

import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };

type Version = components["schemas"]["Version"];

const [baseUrl, token] = process.argv.slice(2) as [string, string];
const api = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });

function expect<T>(value: T | undefined, error?: components["schemas"]["TrainingProblem"]): T {
  if (value === undefined) {
    throw new Error(error === undefined ? "nothing came" : `${error.status} ${error.detail}`);
  }
  return value;
}

function tagOf(response: Response): string {
  return expect(response.headers.get("ETag") ?? undefined);
}

const name = "support-bot";
const created = await api.POST("/api/training/packages", {
  body: { name, template_type: "lora_finetuning", config: { r: 8 } },
});
const package_id = expect(created.data, created.error).id;

const drafted = await api.POST("/api/training/versions", {
  params: { header: { "Idempotency-Key": crypto.randomUUID() } },
  body: { package_id, config: { r: 8 }, model: { id: "mistral-7b" }, dataset: [{ id: "faq" }] },
});
const draft: Version = expect(drafted.data, drafted.error);
const path = { version_id: draft.id };

const edited = await api.PUT("/api/training/versions/{version_id}", {
  params: { path, header: { "If-Match": tagOf(drafted.response) } },
  body: { config: { r: 16 }, budget_limit: "20.00" },
});
expect(edited.data, edited.error);

const stale = await api.PUT("/api/training/versions/{version_id}", {
  params: { path, header: { "If-Match": tagOf(drafted.response) } },
  body: { config: { r: 32 } },
});
if (stale.response.status !== 412 || !stale.error?.changed_there?.includes("/config_snapshot/r")) {
  throw new Error(`a stale edit was answered with ${stale.response.status}`);
}

const published = await api.POST("/api/training/versions/{version_id}/publish", {
  params: { path, header: { "If-Match": tagOf(edited.response) } },
});
const first = expect(published.data, published.error);

const restored = await api.POST("/api/training/versions/{version_id}/restore", {
  params: { path },
  body: { change_summary: "once more" },
});
const copy = expect(restored.data, restored.error);

const compared = await api.GET("/api/training/versions/{version_id}/compare/{other_id}", {
  params: {
    path: { version_id: first.id, other_id: copy.id },
    query: { path: ["/config_snapshot", "/change_summary"] },
  },
});
const changes = expect(compared.data, compared.error).changes;

const listed = await api.GET("/api/training/versions", {
  params: { query: { package_id, status: ["published"] } },
});

console.log(
  JSON.stringify({
    status: first.status,
    config: first.config_snapshot,
    restored: [copy.version_number, copy.status, copy.parent_version_id === first.id],
    changes: changes.map((change) => [change.path, change.new]),
    published: expect(listed.data, listed.error).items.map((version) => version.version_number),
  }),
);
