"""Files that land under a name without an extension: the command says how they get one."""

import json

from fault_server import FaultServer
from faults import With
from stac_item import stac_item


def test_a_name_without_an_extension_is_noted_until_servers_are_asked(splashdown_command, tmp_path):
    with FaultServer() as server:
        server.add("/products(7)/$value", b"PK\x03\x04 of a product")
        server.always("/products(7)/$value", With(Content_Disposition='attachment; filename="S2A_X.SAFE.zip"'))
        source = tmp_path / "item.json"
        source.write_text(json.dumps(stac_item({"product": {"href": f"{server.url}/products(7)/$value"}})))
        plain = splashdown_command("download", source, tmp_path / "plain")
        quiet = splashdown_command("download", source, tmp_path / "plain", "--quiet")
        named = splashdown_command("download", source, tmp_path / "named", "--server-names")
    assert "1 file has a name without an extension; --server-names asks the servers" in plain.stderr
    assert "--server-names" not in quiet.stderr + named.stderr
    assert (tmp_path / "named" / "S2A_X.SAFE.zip").exists()
