{"keepstateTable":1,"now":1795274807296,"flows":0,"expectations":0,"stats":{"insert":0,"expectNew":0,"expectCreate":0,"expectDelete":0}}
