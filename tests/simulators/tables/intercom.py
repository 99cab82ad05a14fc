#!/usr/bin/env python3
"""Writes src/intercom/tables.json from Intercom's OpenAPI description (MIT, Copyright Intercom, Inc.).

    python3 tables/intercom.py path/to/intercom-openapi-2.16.yaml > src/intercom/tables.json

Only the operations that the simulator has are taken over. The crate builds and tests without the description.
"""

import json
import re
import sys

import yaml

OPERATIONS = """
GET /me
GET /admins
GET /admins/{id}
GET /teams
POST /contacts
POST /contacts/search
POST /contacts/merge
GET /contacts/find_by_external_id/{id}
GET /contacts/{id}
PUT /contacts/{id}
DELETE /contacts/{id}
POST /contacts/{id}/archive
POST /contacts/{id}/unarchive
POST /conversations
POST /conversations/search
POST /conversations/redact
GET /conversations/attributes
POST /conversations/attributes
GET /conversations/{id}
PUT /conversations/{id}
DELETE /conversations/{id}
POST /conversations/{id}/reply
POST /conversations/{id}/parts
POST /conversations/{id}/customers
DELETE /conversations/{id}/customers/{id}
POST /conversations/{id}/tags
DELETE /conversations/{id}/tags/{id}
GET /tags
POST /tags
GET /data_attributes
POST /data_attributes
""".split("\n")

# Real, but missing in the description: github.com/intercom/Intercom-OpenAPI/issues/114.
SORT_OF_CONVERSATIONS = {
    "type": "object",
    "properties": {
        "field": {"type": "string"},
        "order": {"type": "string", "enum": ["ascending", "descending"]},
    },
}
# Tagging companies and people is not simulated.
FIRST_VARIANT_ONLY = {"POST /tags"}
# The text says so for every reply, the schema only for some.
MOST_FILES = 10
QUERY_SCHEMAS = {"single_filter_search_request", "multiple_filter_search_request"}


class Writer:
    def __init__(self, description):
        self.description = description
        self.integer_ids = set()

    def resolve(self, schema):
        while "$ref" in schema:
            schema = self.description["components"]["schemas"][schema["$ref"].split("/")[-1]]
        return schema

    def merged(self, schema):
        """The schema with everything of its `allOf` pulled up."""
        schema = dict(self.resolve(schema))
        properties, required = {}, list(schema.get("required", []))
        for part in schema.pop("allOf", []):
            part = self.merged(part)
            properties.update(part.get("properties", {}))
            required += [name for name in part.get("required", []) if name not in required]
        for name, own in schema.get("properties", {}).items():
            properties[name] = {**self.resolve(properties.get(name, {})), **own}
        schema["properties"], schema["required"] = properties, required
        return schema

    def variants(self, schema):
        """The objects of a `oneOf`, flattened, each with the fields that all of them share."""
        schema = self.merged(schema)
        if "oneOf" not in schema or not self.is_object(schema):
            return [schema]
        shared = {"properties": schema["properties"], "required": schema["required"]}
        return [
            self.merged({"allOf": [shared, variant]}) | {"anyOf": variant.get("anyOf", [])}
            for one in schema["oneOf"]
            for variant in self.variants(one)
        ]

    def is_object(self, schema):
        schema = self.resolve(schema)
        if schema.get("properties") or "allOf" in schema or schema.get("type") == "object":
            return True
        return any(self.is_object(one) for one in schema.get("oneOf", []))

    def kind(self, name, schema):
        if schema.get("$ref", "").split("/")[-1] in QUERY_SCHEMAS:
            return "query"
        schema = self.resolve(schema)
        ones = schema.get("oneOf", [])
        if ones and all(one.get("$ref", "").split("/")[-1] in QUERY_SCHEMAS for one in ones):
            return "query"
        if "additionalProperties" in schema or (schema.get("type") == "object" and name == "custom_attributes"):
            return "map"
        if self.is_object(schema):
            return {"object": [self.shape(variant) for variant in self.variants(schema)]}
        if schema.get("type") == "array":
            most = MOST_FILES if name == "attachment_files" else schema.get("maxItems")
            return {"list": self.kind(name, schema["items"]), "most": most}
        if schema.get("enum"):
            return {"choice": schema["enum"]}
        if schema["type"] == "string" and name in self.integer_ids:
            return "id"
        if schema["type"] == "string" and "minLength" in schema:
            return {"length": schema["minLength"]}
        if schema["type"] == "string":
            return "uuid" if schema.get("format") == "uuid" else "text"
        return schema["type"]

    def shape(self, schema):
        fields = {}
        for name, field in schema["properties"].items():
            nullable = field.get("nullable") or self.resolve(field).get("nullable")
            mark = ("!" if name in schema["required"] else "") + ("?" if nullable else "")
            fields[name + mark] = self.kind(name, field)
        any_of = [one["required"][0] for one in schema.get("anyOf", [])]
        return {**fields, "": any_of} if any_of else fields

    def operation(self, name, operation):
        self.integer_ids = set()
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        for example in content.get("examples", {}).values():
            self.note_integer_ids(example.get("value"))
        parameters = operation.get("parameters", [])
        query = {one["name"]: self.kind(one["name"], one["schema"]) for one in parameters if one["in"] == "query"}
        path = [self.resolve(one["schema"])["type"] for one in parameters if one["in"] == "path"]
        made = {"path": path, "query": query, "body": []}
        if "schema" in content:
            schema = content["schema"]
            if name in FIRST_VARIANT_ONLY:
                schema = self.resolve(schema)["oneOf"][0]
            shapes = self.variants(schema)
            if name == "POST /conversations/search":
                shapes[0]["properties"]["sort"] = SORT_OF_CONVERSATIONS
            made["body"] = [self.shape(shape) for shape in shapes]
        return made

    def note_integer_ids(self, value):
        """Examples give some ids, which the schema calls strings, as integers: both are accepted."""
        for name, one in value.items() if isinstance(value, dict) else []:
            if isinstance(one, int) and not isinstance(one, bool) and re.search(r"(^|_)id$", name):
                self.integer_ids.add(name)


def searchable(operation):
    """The `Accepted Fields` table in the text of a search operation."""
    text = operation["description"].split("### Accepted Fields")[1].split("### Accepted Operators")[0]
    return {name: kind.lower() for name, kind in re.findall(r"^\| ([a-z_.]+) +\| (\w+)", text, re.MULTILINE)}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        description = yaml.safe_load(file)
    writer = Writer(description)
    found = {}
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            found[f"{method.upper()} {re.sub(r'{[^}]*}', '{id}', path)}"] = operation
    operations = {name: writer.operation(name, found[name]) for name in OPERATIONS if name}
    tables = {
        "about": "Made by tables/intercom.py from Intercom's OpenAPI description, not to be edited by hand.",
        "source": f"https://github.com/intercom/Intercom-OpenAPI, version {description['info']['version']}",
        "licence": "MIT, Copyright Intercom, Inc.",
        "contact_fields": searchable(found["POST /contacts/search"]),
        "conversation_fields": searchable(found["POST /conversations/search"]),
    }
    for name, value in tables.items():
        print(f"{'{' if name == 'about' else ''}{json.dumps(name)}: {json.dumps(value)},")
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in operations.items())
    print(f'"operations": {{\n{lines}\n}}}}')


main()
