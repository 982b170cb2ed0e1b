"""Integration 1,500 USD, its row in the workspace 1,000, provider azure-prod-experimental 100 beside azure-prod, key 50: each stops at its figure.

A call costs 2.50 USD exactly, as much as is reserved for it, so that every budget must end at its very figure. Calls go through the stock SDKs.
"""
import concurrent.futures
import unittest

import openai
import portkey_ai

import harness
from suite import BASE_URL, FACTS, KEY, SIM, admin

CENTS, TOKENS = 25, 10  # of an output token, and of them a call
CALL_USD = 2.5
WORDS = [{"role": "user", "content": "so many words that the answer has all its tokens " * 4}]
CLIENTS = 4


def budget(usd):
    return {"type": "cost", "credit_limit": usd, "mode": "strict"}


def make_key(workspace, **more):
    return admin("POST", "/api-keys/workspace/service", {"name": "story", "workspace_id": workspace, "scopes": ["completions.write"], **more})


class Story(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace, cls.other = FACTS["workspace"]["id"], admin("POST", "/admin/workspaces", {"name": "story"})["id"]
        admin("POST", "/integrations", {"name": "azure", "slug": "azure", "ai_provider_id": "openai", "key": "sk-upstream",
                                        "configurations": {"custom_host": SIM.url + "/v1"}, "usage_limits": [budget(1500)]})
        price = {"type": "static", "pay_as_you_go": {"request_token": {"price": 0}, "response_token": {"price": CENTS}}}
        admin("PUT", "/integrations/azure/models", {"models": [{"slug": "gpt-4o", "enabled": True, "pricing_config": price}]})
        admin("PUT", "/integrations/azure/workspaces", {"workspaces": [
            {"id": cls.workspace, "enabled": True, "usage_limits": [budget(1000)]}, {"id": cls.other, "enabled": True}]})
        for slug, more in (("azure-prod", {}), ("azure-prod-experimental", {"usage_limits": budget(100)})):
            admin("POST", "/providers", {"name": slug, "slug": slug, "integration_id": "azure", "workspace_id": cls.workspace, **more})
        cls.key = make_key(cls.workspace, usage_limits=budget(50))
        cls.paths = {"key": f"/api-keys/{cls.key['id']}", "experimental": f"/providers/azure-prod-experimental?workspace_id={cls.workspace}",
                     "row": "/integrations/azure/workspaces", "integration": "/integrations/azure"}

    def entity(self, name):
        shown = admin("GET", self.paths[name])
        return next(row for row in shown["workspaces"] if row["workspace_id"] == self.workspace) if name == "row" else shown

    def figures(self, name):
        """(used, remaining, exhausted) as GET of the entity shows them."""
        shown = self.entity(name)
        row = shown["usage"][0]
        return row["used"], row["remaining"], row["status"] == "exhausted"

    def spend(self, client, model):
        """Calls until the refusal of each client; its words."""
        def until_refused(_):
            while True:
                try:
                    reply = client.chat.completions.create(model=model, messages=WORDS, max_tokens=TOKENS)
                    self.assertEqual(reply.usage.completion_tokens, TOKENS)
                except (openai.APIStatusError, portkey_ai._vendor.openai.APIStatusError) as error:
                    self.assertEqual(error.status_code, 412, error)
                    return str(error)
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            return list(pool.map(until_refused, range(CLIENTS)))

    def test_each_of_the_four_stops_at_its_own_figure(self):
        def plain(key, **more):
            return openai.OpenAI(api_key=key, base_url=BASE_URL, max_retries=0, **more)

        def portkey(key, provider):
            return portkey_ai.Portkey(api_key=key, base_url=BASE_URL, provider=provider, max_retries=0)
        limits = {"key": 50, "experimental": 100, "row": 1000, "integration": 1500}
        stages = (("key", "api key", plain(self.key["key"]), "@azure-prod-experimental/gpt-4o"),
                  ("experimental", 'provider "azure-prod-experimental"', portkey(KEY, "@azure-prod-experimental"), "gpt-4o"),
                  ("row", "integration in workspace", portkey(KEY, "@azure-prod"), "gpt-4o"),
                  ("integration", 'integration "azure"', plain(make_key(self.other)["key"]), "@azure/gpt-4o"))
        SIM.reset()
        for at, (name, words, client, model) in enumerate(stages):
            for refusal in self.spend(client, model):
                self.assertIn(words, refusal)
                self.assertIn(f"{limits[name]}", refusal)
            done = sum(r["status"] == 200 for r in SIM.records())
            self.assertEqual(done * CALL_USD, limits[name])
            # Each stage spends from all that stand above it too; those below stay where they stopped.
            for other, (entity, *_) in enumerate(stages):
                stopped = other <= at
                used = limits[entity] if stopped else limits[name]
                want = (used, limits[entity] - used, stopped)
                with self.subTest(stopped=name, shown=entity):
                    harness.wait_for(f"{entity} shows {want}", lambda want=want, entity=entity: self.figures(entity) == want)


if __name__ == "__main__":
    unittest.main()
