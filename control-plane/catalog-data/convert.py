#!/usr/bin/env python3
"""Makes the built-in catalog (providers.jsonl, models/*.jsonl, manifest.json) from the collected reference data.

    convert.py --source DIR     DIR holds providers.json and catalog/<slug>.json (see README.md)
    convert.py --check          only proves that the files here agree with manifest.json
    convert.py --manifest       renews manifest.json after an edit by hand (the next --source overwrites the edit)

Rerun it whenever the reference data is newer; overrides.json holds what we know better and is laid over it.
Rules: money is whole pico-USD per unit, rounded up; a figure the sources do not give stays absent; a figure that
cannot be right is left out and counted (manifest.json "dropped"), never guessed.
"""
import argparse
import decimal
import hashlib
import json
import os
import re
import sys
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
PICO = 10 ** 12
FORMAT = 1

# The reference's operation names -> common/ops.def; *_stream, realtime and models have no row there.
OPS = {
    "chatComplete": "chat", "complete": "completions", "embed": "embeddings", "imageGenerate": "images_generations",
    "imageEdit": "images_edits", "createSpeech": "audio_speech", "createTranscription": "audio_transcriptions",
    "createTranslation": "audio_translations", "createModelResponse": "responses_create",
    "getModelResponse": "responses_get", "deleteModelResponse": "responses_delete", "uploadFile": "files_upload",
    "listFiles": "files_list", "retrieveFile": "files_get", "deleteFile": "files_delete",
    "retrieveFileContent": "files_content", "createBatch": "batches_create", "listBatches": "batches_list",
    "retrieveBatch": "batches_get", "cancelBatch": "batches_cancel", "createFinetune": "fine_tuning_create",
    "listFinetunes": "fine_tuning_list", "retrieveFinetune": "fine_tuning_get", "cancelFinetune": "fine_tuning_cancel",
    "messages": "messages", "messagesCountTokens": "messages_count_tokens", "realtime": "realtime",
    "stream-chatComplete": "chat_stream", "stream-complete": "completions_stream", "stream-messages": "messages_stream",
}

# Price field of the reference -> (unit of common/price.def, units per figure).
TOKENS = 1000000
PRICES = {
    "input_usd_per_million_tokens": ("input_token", TOKENS),
    "output_usd_per_million_tokens": ("output_token", TOKENS),
    "cache_read_usd_per_million_tokens": ("cache_read_token", TOKENS),
    "cache_write_usd_per_million_tokens": ("cache_write_token", TOKENS),
    "cache_write_1h_usd_per_million_tokens": ("cache_write_1h_token", TOKENS),
    "reasoning_usd_per_million_tokens": ("reasoning_token", TOKENS),
    "audio_input_usd_per_million_tokens": ("audio_input_token", TOKENS),
    "audio_output_usd_per_million_tokens": ("audio_output_token", TOKENS),
    "audio_cache_read_usd_per_million_tokens": ("audio_cache_token", TOKENS),
    "image_input_usd_per_million_tokens": ("image_input_token", TOKENS),
    "image_output_usd_per_million_tokens": ("image_output_token", TOKENS),
    "image_cache_read_usd_per_million_tokens": ("image_cache_token", TOKENS),
    "output_video_usd_per_million_tokens": ("video_output_token", TOKENS),
    "embedding_image_usd_per_million_tokens": ("image_input_token", TOKENS),
    "embedding_text_usd_per_million_tokens": ("input_token", TOKENS),
    "audio_input_usd_per_minute": ("audio_input_second", 60),
    "audio_output_usd_per_minute": ("audio_output_second", 60),
    "input_usd_per_million_characters": ("input_character", 1000000),
    "search_usd_per_request": ("rerank_search", 1),
}
# The text part of image models is what input_token and output_token mean there: it wins over the plain field.
TEXT_PRICES = {
    "text_input_usd_per_million_tokens": ("input_token", TOKENS),
    "text_output_usd_per_million_tokens": ("output_token", TOKENS),
    "text_cache_read_usd_per_million_tokens": ("cache_read_token", TOKENS),
}
EXTRAS = {
    "web_search": "web_search", "web_search_low_context": "web_search:low",
    "web_search_medium_context": "web_search:medium", "web_search_high_context": "web_search:high",
    "enterprise_web_search": "enterprise_search", "search": "grounding_search", "file_search": "file_search",
    "x_search": "x_search", "attachment_search": "attachment_search", "maps": "maps_search",
    "code_execution": "code_execution", "routing_units": "routing_token", "video_seconds": "video_second",
    "generated_images": "image", "input_image": "input_image", "megapixels": "megapixel", "request": "request",
    "input_video_plus": "video_input_second:plus", "input_video_standard": "video_input_second:standard",
    "input_video_essential": "video_input_second:essential",
}
# Below these (USD) a figure of the sources is a slip of units (cents taken for dollars, a token price for an image's).
FLOORS = {"image": "0.0005", "megapixel": "0.002", "video_second": "0.005", "input_image": "0.00005"}
# Types that make no output tokens: an output price of 0 is true there, elsewhere it is an unknown.
NO_OUTPUT = {"embedding", "rerank", "moderation"}

dropped = Counter()


def pico(figure, per):
    """USD for `per` units -> whole pico-USD for one, rounded up."""
    exact = decimal.Decimal(figure) * PICO / per
    return int(exact.to_integral_value(rounding=decimal.ROUND_CEILING))


def implausible(unit, value):
    floor = FLOORS.get(unit.split(":")[0])
    return floor is not None and value < decimal.Decimal(floor)


def put(prices, unit, figure, per=1):
    if implausible(unit, decimal.Decimal(figure)):
        dropped["implausible " + unit.split(":")[0]] += 1
    else:
        prices[unit] = pico(figure, per)


def image_prices(prices, table):
    """quality/size map -> image, image:quality, image:size, image:quality/size; what a shorter name says is left out."""
    if implausible("image", min(decimal.Decimal(v) for v in table.values())):
        dropped["implausible image"] += 1
        return
    flat = {}
    for key in sorted(table, key=lambda k: (k.count("/"), not k.startswith("default"), k)):
        quality, _, size = key.partition("/")
        name = size if quality == "default" else key
        chain = [quality if size and quality != "default" else "", size if size and quality != "default" else "", ""]
        shorter = next((flat[c] for c in chain if c in flat and c != name), None)
        value = pico(table[key], 1)
        if value != shorter:
            flat[name] = value
    for name, value in flat.items():
        prices["image:" + name if name else "image"] = value


def price_map(source, model_type, free):
    prices = {}
    for table in (PRICES, TEXT_PRICES):
        for field, (unit, per) in table.items():
            if field in source:
                put(prices, unit, source[field], per)
    if "image_usd_per_image" in source:
        image_prices(prices, source["image_usd_per_image"])
    for name, figure in source.get("extra_usd_per_unit", {}).items():
        video = re.fullmatch(r"video_duration_seconds_(\d+)_(\d+)", name)
        if video:
            put(prices, "video_second:%sx%s" % video.groups(), figure)
        elif name in EXTRAS:
            put(prices, EXTRAS[name], figure)
        else:
            raise SystemExit("unknown extra unit: " + name)
    for name in source:
        if name not in PRICES and name not in TEXT_PRICES and name not in ("image_usd_per_image", "extra_usd_per_unit",
                                                                           "above_input_tokens"):
            raise SystemExit("unknown price field: " + name)
    drop_zeros(prices, model_type, free)
    return prices


def drop_zeros(prices, model_type, free):
    """A 0 stays only where it is a fact: a free model, or the output of a model that has none."""
    for unit in [u for u, v in prices.items() if v == 0]:
        fact = free or (unit == "output_token" and model_type in NO_OUTPUT)
        if not fact:
            del prices[unit]
            dropped["zero " + unit] += 1


def model_prices(model):
    model_type = model.get("type")
    price = model.get("price", {})
    free = price.get("input_usd_per_million_tokens") == 0 and price.get("output_usd_per_million_tokens") == 0
    prices = price_map(price, model_type, free)
    tiers = [("tier=batch", model.get("batch_price", {}))]
    tiers += [("tier=" + k, v) for k, v in model.get("service_tier_prices", {}).items()]
    tiers += [(">%d" % t["above_input_tokens"], t) for t in model.get("price_tiers", [])]
    for variant, source in tiers:
        for unit, value in price_map(source, model_type, free).items():
            if ":" in unit or (value == prices.get(unit) and not variant.startswith(">")):
                continue  # one variant a price; equal to the plain price says nothing
            prices["%s:%s" % (unit, variant)] = value
    return prices


def model_row(model, free_models):
    row = {"id": model["id"]}
    if model.get("name") and model["name"] != model["id"]:
        row["name"] = model["name"]
    if "type" in model:
        row["type"] = model["type"]
    limits = {k: v for k, v in model.get("limits", {}).items() if k != "max_tokens_param_upper_bound" and v}
    if limits:
        row["limits"] = limits
    for side in ("input", "output"):
        if model.get("modalities", {}).get(side):
            row[side] = model["modalities"][side]
    capabilities = model.get("capabilities", {})
    for name, wanted in (("capabilities", True), ("not_capabilities", False)):
        listed = sorted(k for k, v in capabilities.items() if v is wanted)
        if listed:
            row[name] = listed
    for name in ("family", "knowledge_cutoff", "release_date", "open_weights", "status"):
        if name in model:
            row[name] = model[name]
    prices = model_prices(model)
    if model["id"] in free_models:
        prices = {"input_token": 0, "output_token": 0}
    if prices:
        row["prices_picousd"] = prices
    source = {k: v for k, v in model.get("src", {}).items() if k in ("limits", "capabilities", "price")}
    if not limits:
        source.pop("limits", None)
    if not prices:
        source.pop("price", None)
    elif model["id"] in free_models:
        source["price"] = "S"
    if model.get("src", {}).get("type"):
        source["type"] = "id"
    row["src"] = source or {"id": model.get("src", {}).get("id", "")}
    return row


def template_host(url):
    return re.sub(r"^https?://", "", url).split("/")[0]


def placeholders(row):
    texts = [row["base_url"], *row["endpoints"].values()]
    found = {name for text in texts for name in re.findall(r"\{(\w+)\}", text)}
    return sorted(found - {"id", "model", "api_key"})


def endpoints_of(row, over):
    paths = {}
    for name, path in row["endpoints"].items():
        path = re.sub(r"[?&]key=\{api_key\}", "", path)
        paths[OPS[name]] = re.sub(r"\?pageToken=1&pageSize=50|\?pageSize=20&pageToken=", "", path)
    for name, path in over.get("endpoints", {}).items():
        if path is None:
            paths.pop(name, None)
        else:
            paths[name] = path
    return dict(sorted(paths.items()))


def auth_of(row, over):
    if "auth" in over:
        return over["auth"]
    auth = row["auth"] or {}
    if auth.get("type"):
        raise SystemExit("%s: auth type %s needs a row in overrides.json" % (row["slug"], auth["type"]))
    return {"scheme": "header", "header": auth.get("header", "Authorization").lower(),
            "prefix": auth.get("prefix", "Bearer ")}


def provider_row(source, over, catalog):
    openai = source["openai_compatible"]
    row = {"slug": source["slug"], "name": source["name"],
           "dialect": over.get("dialect", "openai" if openai else source["slug"]),
           "base_url": over.get("base_url", source["base_url"]), "auth": auth_of(source, over),
           "endpoints": endpoints_of(source, over)}
    extra = {k.lower(): v for k, v in over.get("extra_headers", source["extra_headers"]).items()}
    if extra:
        row["extra_headers"] = extra
    renames = over.get("renames", source.get("chat_param_renames", {}))
    if renames:
        row["renames"] = renames
    for name, value in (("developer_to_system", source.get("developer_role_to_system")),
                        ("no_stream_options", over.get("no_stream_options")),
                        ("text_embeddings", over.get("text_embeddings")),
                        ("stream_usage_path", over.get("stream_usage_path")),
                        ("custom_host", over.get("custom_host")), ("status", over.get("status")),
                        ("passthrough", over.get("passthrough")), ("native_endpoints", over.get("native_endpoints")),
                        ("openai_compat", over.get("openai_compat")), ("token_hosts", over.get("token_hosts")),
                        ("base_urls", over.get("base_urls"))):
        if value:
            row[name] = value
    hosts = {template_host(row["base_url"])} if row["base_url"] else set()
    if "base_url" not in over:
        hosts |= {template_host(u) for u in source.get("other_base_urls", [])}
    hosts |= set(over.get("other_hosts", []))
    row["hosts"] = sorted(hosts)
    if placeholders(row):
        row["placeholders"] = placeholders(row)
    env = over.get("env") or catalog.get("env")
    if env:
        row["env"] = env
    if catalog.get("docs_url"):
        row["docs_url"] = catalog["docs_url"]
    corrected = over and row["dialect"] == "openai"  # the note speaks of what was overridden
    if source.get("notes") and not corrected and not source["notes"].startswith("plain OpenAI"):
        row["notes"] = source["notes"]
    return row


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file, parse_float=decimal.Decimal)


def dump(row):
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def write_lines(path, rows):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(dump(row) + "\n" for row in rows)


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def data_files():
    names = ["providers.jsonl"]
    names += sorted("models/" + n for n in os.listdir(os.path.join(HERE, "models")) if n.endswith(".jsonl"))
    return names


def count_lines(path):
    with open(path, encoding="utf-8") as file:
        return sum(1 for _ in file)


def file_table():
    table = {}
    for name in data_files():
        path = os.path.join(HERE, name)
        table[name] = {"rows": count_lines(path), "bytes": os.path.getsize(path), "sha256": sha256(path)}
    return table


def count_rows():
    counts = Counter()
    for name in data_files():
        with open(os.path.join(HERE, name), encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        if name == "providers.jsonl":
            counts["providers"] = len(rows)
            continue
        counts["providers_with_models"] += 1
        counts["models"] += len(rows)
        counts["models_with_prices"] += sum("prices_picousd" in row for row in rows)
        counts["models_with_limits"] += sum("limits" in row for row in rows)
    return dict(sorted(counts.items()))


def write_manifest(manifest):
    manifest = {**manifest, "format": FORMAT, "counts": count_rows(), "files": file_table()}
    order = ("format", "data_date", "sources", "counts", "dropped", "files")
    with open(os.path.join(HERE, "manifest.json"), "w", encoding="utf-8", newline="\n") as file:
        json.dump({name: manifest[name] for name in order}, file, indent=1, ensure_ascii=False)
        file.write("\n")
    return manifest


def convert(source_dir):
    rows = load(os.path.join(source_dir, "providers.json"))
    overrides = load(os.path.join(HERE, "overrides.json"))
    unknown = set(overrides) - {row["slug"] for row in rows} - {""}
    if unknown:
        raise SystemExit("overrides.json names unknown providers: %s" % sorted(unknown))
    models_dir = os.path.join(HERE, "models")
    os.makedirs(models_dir, exist_ok=True)
    for name in os.listdir(models_dir):
        os.remove(os.path.join(models_dir, name))
    providers, sources, date = [], set(), ""
    for source in sorted(rows, key=lambda r: r["slug"]):
        catalog = load(os.path.join(source_dir, "catalog", source["slug"] + ".json"))
        over = overrides.get(source["slug"], {})
        providers.append(provider_row(source, over, catalog))
        sources |= set(catalog["sources"])
        date = max(date, catalog["generated"])
        models = [model_row(m, over.get("free_models", [])) for m in sorted(catalog["models"], key=lambda m: m["id"])]
        if models:
            write_lines(os.path.join(models_dir, source["slug"] + ".jsonl"), models)
    write_lines(os.path.join(HERE, "providers.jsonl"), providers)
    manifest = write_manifest({"data_date": date, "sources": sorted(sources), "dropped": dict(sorted(dropped.items()))})
    print(json.dumps({"counts": manifest["counts"], "dropped": manifest["dropped"]}))


def check():
    manifest = load(os.path.join(HERE, "manifest.json"))
    table = file_table()
    for name in sorted(set(table) | set(manifest["files"])):
        if table.get(name) != manifest["files"].get(name):
            raise SystemExit("%s differs from manifest.json" % name)
    print("%d files agree with manifest.json" % len(table))


def main():
    parser = argparse.ArgumentParser(description="Makes the built-in catalog; see README.md.")
    parser.add_argument("--source", help="folder with providers.json and catalog/")
    parser.add_argument("--check", action="store_true", help="compare the files with manifest.json")
    parser.add_argument("--manifest", action="store_true", help="renew the manifest after an edit by hand")
    args = parser.parse_args()
    if bool(args.source) + args.check + args.manifest != 1:
        parser.error("give one of --source DIR, --check, --manifest")
    if args.check:
        check()
    elif args.manifest:
        write_manifest(load(os.path.join(HERE, "manifest.json")))
    else:
        convert(args.source)
    return 0


if __name__ == "__main__":
    sys.exit(main())
