"""Documents are read with the options of HTTP."""

from scripted_api import Answer, scripted_api

from splashdown.session import Session


def test_documents_are_read_with_the_user_agent_of_the_options():
    with scripted_api() as api, Session(config=False, options={"http": {"user_agent": "project/1"}}) as session:
        api.script["/i.json"] = Answer({"type": "Feature", "stac_version": "1.0.0", "id": "i", "assets": {}})
        session.open(f"{api.url}/i.json")
        assert api.sent("/i.json", "User-Agent") == ["project/1"]
