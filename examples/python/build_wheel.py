"""Makes the wheel that `pip install examples/python` installs: what pip asks of a build (PEP 517), with no package to fetch."""

import base64
import hashlib
import pathlib
import re
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = "pricingd"


def declared(name):
    return re.search(rf'^{name} = "(.*)"$', (HERE / "pyproject.toml").read_text(), re.M)[1]


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    version = declared("version")
    info = f"{PACKAGE}-{version}.dist-info"
    files = {f"{PACKAGE}/{file.name}": file.read_bytes() for file in sorted((HERE / PACKAGE).glob("*.*")) if file.is_file()}
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version}\nSummary: {declared('description')}\n"
        f"Requires-Python: {declared('requires-python')}\n"
    ).encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: pricingd\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = ""
    name = f"{PACKAGE}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in files.items():
            wheel.writestr(path, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record += f"{path},sha256={digest},{len(data)}\n"
        wheel.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")
    return name
